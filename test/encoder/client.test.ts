import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ApiError, createApiClient } from '../../lib/api/client.ts';
import { startFakeApi } from './fake-api.ts';

test('API client: captions and clips are sent, listed and removed', async () => {
  const calls: string[] = [];
  const client = createApiClient({
    ...{ baseUrl: 'https://stream.example', key: 'secret' },
    fetch: async (url, { method = '', headers, body } = {}) => {
      const type = new Headers(headers).get('content-type') ?? '';
      calls.push([method, String(url).slice(22), type, String(body ?? '')].join(' ').trim());
      const answer = method === 'GET' ? { clips: [] } : { track: 'captions-de' };
      return method === 'DELETE' ? new Response(null, { status: 204 }) : Response.json(answer);
    },
  });
  const atMs = Date.parse('2026-01-01T00:00:00Z');
  await client.uploadCaptions('v', { lang: 'de', sdh: true, file: 'a.vtt', atMs }, 'WEBVTT\n');
  const cue = { from: 1, to: 2, text: 'Hallo' };
  const { track } = await client.uploadCaptions('v', { lang: 'de' }, [cue]);
  await client.removeCaptions('v', track);
  assert.deepEqual(await client.listClips('v'), []);
  await client.saveClip('v', { from: 1, to: 2.5, title: 'The goal' });
  await client.removeClip('v', 'c1');
  assert.deepEqual(calls, [
    'POST /upload/v?kind=captions&lang=de&sdh=true&file=a.vtt&at=2026-01-01T00%3A00%3A00.000Z text/vtt WEBVTT',
    'POST /upload/v?kind=captions&lang=de application/json [{"from":1,"to":2,"text":"Hallo"}]',
    'DELETE /captions/v/captions-de',
    'GET /clips/v',
    'POST /clips/v application/json {"from":1,"to":2.5,"title":"The goal"}',
    'DELETE /clips/v/c1',
  ]);
});

test('API client: calls have the form of the API, and failures say whether a retry may help', async (t) => {
  const api = await startFakeApi();
  t.after(() => api.close());
  const client = createApiClient({ baseUrl: `${api.url}/`, key: 'secret' });
  const digest = '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81';
  const bytes = new Uint8Array([1, 2, 3]);
  const info = { segment: 0, session: 's', durationSeconds: 2.0020001, digest };
  const receipt = await client.uploadSegment('v', info, bytes);
  assert.equal(receipt.digest, digest);
  assert.deepEqual(api.calls[0], {
    method: 'POST',
    path: '/upload/v',
    query: { segment: '0', session: 's', duration: '2.002', digest },
    bodyBytes: 3,
    others: 0,
  });

  const failing = async (call: Promise<unknown>): Promise<ApiError> => {
    const error: unknown = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ApiError, String(error));
    return error;
  };
  const conflict = await failing(
    client.uploadSegment('v', { ...info, digest: undefined }, new Uint8Array([4])),
  );
  assert.deepEqual(
    [conflict.code, conflict.status, conflict.retryable],
    ['digest_mismatch', 400, false],
  );
  assert.equal(conflict.hint, 'Do as the hint says.');
  api.fault.current = () => ({ type: 'status', status: 503, code: 'unavailable' });
  assert.equal((await failing(client.listStreams())).retryable, true);
  api.fault.current = () => ({ type: 'destroy' });
  const broken = await failing(client.listStreams());
  assert.deepEqual([broken.code, broken.status, broken.retryable], ['network', 0, true]);
  api.fault.current = () => ({ type: 'slow', ms: 300 });
  const hasty = createApiClient({ baseUrl: api.url, key: 'secret', timeoutMs: 50 });
  const late = await failing(hasty.endStream('v'));
  assert.deepEqual([late.code, late.retryable], ['timeout', true]);
  const aborted = client.endStream('v', { signal: AbortSignal.abort(new Error('enough')) });
  await assert.rejects(aborted, /^Error: enough$/);
});

test('API client: an answer that is not of the API is an unexpected_answer', async (t) => {
  let status = 200;
  const portal = createServer((_, response) => response.writeHead(status).end('<h1>Log in</h1>'));
  await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
  t.after(() => portal.close());
  const { port } = portal.address() as AddressInfo;
  const client = createApiClient({ baseUrl: `http://127.0.0.1:${port}` });
  const matches = (retryable: boolean) => (error: unknown) =>
    error instanceof ApiError &&
    error.code === 'unexpected_answer' &&
    error.retryable === retryable;
  await assert.rejects(client.listStreams(), matches(true), 'a portal goes away');
  status = 404;
  await assert.rejects(client.listStreams(), matches(false));
});
