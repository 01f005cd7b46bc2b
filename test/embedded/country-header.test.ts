import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from '../../lib/embedded/gateway.ts';

test('a country is what a proxy says in the header that is set for it, not what a client says', async (t) => {
  const headers = { 'cloudfront-viewer-country': 'FR', 'x-country': 'CA' };
  for (const [options, country] of [
    [{}, undefined],
    [{ countryHeader: 'X-Country' }, 'CA'],
  ] as const) {
    const told: (string | undefined)[] = [];
    const handler = (event: { headers: Readonly<Record<string, string | undefined>> }) => {
      told.push(event.headers['cloudfront-viewer-country']);
      return { statusCode: 200 };
    };
    const routes = [{ method: 'GET', path: '/a', handler }];
    const gateway = new Gateway({
      routes,
      report: (error) => assert.fail(String(error)),
      ...options,
    });
    t.after(() => gateway.close(1000));
    const { port } = await gateway.listen(0, '127.0.0.1');
    await fetch(`http://127.0.0.1:${port}/a`, { headers });
    assert.deepEqual(told, [country]);
  }
});
