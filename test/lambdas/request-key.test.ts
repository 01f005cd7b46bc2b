import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { keyOf } from '../../lambdas/runtime/request-key.ts';

const BASIC = `Basic ${Buffer.from('x:the-key').toString('base64')}`;

const event = (headers: Record<string, string>, method = 'POST'): HttpEvent =>
  ({
    headers: { host: '127.0.0.1:8080', ...headers },
    requestContext: { domainName: 'api.example', http: { method } },
  }) as unknown as HttpEvent;

describe('the key of a request', () => {
  test('is that of Bearer or the password of Basic, and missing where the header is malformed', () => {
    const taken = ['Bearer the-key', 'bearer  the-key ', BASIC, BASIC.replace('Basic', 'BASIC')];
    for (const authorization of taken) assert.equal(keyOf(event({ authorization })), 'the-key');
    const empty = `Basic ${Buffer.from('x:').toString('base64')}`;
    const malformed = ['', 'Bearer', 'Bearer ', 'the-key', 'Digest the-key', 'Bearer a b', empty];
    for (const authorization of malformed) {
      assert.equal(keyOf(event({ authorization })), undefined, authorization);
    }
  });

  test('is not taken from a browser that a page of another site made send it', () => {
    const foreign: readonly Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'Cross-Site', origin: 'http://127.0.0.1:8080' },
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:9' },
      { origin: 'http://127.0.0.1:8080.evil.example' },
    ];
    for (const headers of foreign) {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const sent = event({ authorization: BASIC, ...headers }, method);
        assert.throws(() => keyOf(sent), { code: 'cross_site', status: 403 });
      }
      assert.equal(keyOf(event({ authorization: BASIC, ...headers }, 'GET')), 'the-key');
      assert.equal(keyOf(event({ authorization: 'Bearer the-key', ...headers })), 'the-key');
    }
  });

  test('is taken from our own pages, from an address that was typed, and from programs', () => {
    const own: readonly Record<string, string>[] = [
      {},
      { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8080' },
      { 'sec-fetch-site': 'none' },
      { origin: 'http://127.0.0.1:8080' },
      { origin: 'https://live.example', host: '10.0.0.5', 'x-forwarded-host': 'live.example:443' },
      { origin: 'https://api.example' },
      { origin: 'http://studio.local', host: 'STUDIO.local:80' },
    ];
    for (const headers of own) {
      assert.equal(keyOf(event({ authorization: BASIC, ...headers })), 'the-key');
    }
  });
});
