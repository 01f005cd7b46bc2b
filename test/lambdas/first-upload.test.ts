import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { type ApiHandler, apiHandlers } from '../../lambdas/api/handlers.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import type { RouteName } from '../../lib/api/routes.ts';
import { OWNER_KEY, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';

async function setUp(t: TestContext) {
  const { deps, records } = await testEngine(t);
  const handlers: Record<RouteName, ApiHandler> = apiHandlers(deps);
  const call = async (
    route: RouteName,
    { key = OWNER_KEY, name = 'live.m3u8', body = '' as string | Uint8Array, query = {} },
  ): Promise<number | string | undefined> => {
    const event = {
      headers: { authorization: `Bearer ${key}` },
      requestContext: { http: { method: 'POST' } },
      pathParameters: { videoId: 'new', name },
      queryStringParameters: query,
      body: Buffer.from(body).toString('base64'),
      isBase64Encoded: true,
    };
    const answer = await handlers[route](event as unknown as HttpEvent, {} as Context);
    return answer.statusCode;
  };
  return { call, deps, records, streams: () => records.listVideoIds() };
}

const PLAYLIST = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n';

describe('a stream that nobody made', () => {
  test('is not created by what is refused, and by no call that brings nothing', async (t) => {
    const { call, streams, deps } = await setUp(t);
    const digest = 'a'.repeat(64);
    const calls: readonly (readonly [RouteName, Parameters<typeof call>[1], number])[] = [
      ['upload', { body: 'no media', query: { segment: '0' } }, 415],
      ['upload', { query: { segment: '0' } }, 400],
      ['upload', { body: 'x', query: { segment: 'first' } }, 400],
      ['upload', { body: 'x', query: { segment: 'init' } }, 415],
      ['upload', { query: { segment: '0', size: '9' } }, 400],
      ['upload', { query: { segment: '0', size: '999999999999', digest } }, 413],
      ['pushPut', { name: '0.ts', body: 'no media' }, 415],
      ['pushPut', { name: 'x.m3u8', body: 'no playlist' }, 400],
      ['pushPut', { body: PLAYLIST }, 204],
      ['pushPut', { body: `${PLAYLIST}#EXT-X-ENDLIST\n` }, 204],
      ['pushDelete', { name: '0.ts' }, 204],
      ['endStream', {}, 404],
      ['upload', { key: 'wrong', body: 'x', query: { segment: '0' } }, 403],
    ];
    for (const [route, request, status] of calls) {
      assert.equal(await call(route, request), status, JSON.stringify([route, request]));
    }
    assert.deepEqual(await streams(), []);
    assert.deepEqual(await deps.media.list('source/'), []);
  });

  test('is created by a segment, an init segment, or a playlist with segments', async (t) => {
    const [ts, fmp4] = await Promise.all([
      makeSegments({ seconds: 2, size: '64x36' }),
      makeSegments({ seconds: 2, size: '64x36', container: 'fmp4' }),
    ]);
    const segment = ts.segments[0]?.bytes ?? assert.fail();
    const first: readonly (readonly [RouteName, object, number])[] = [
      ['upload', { body: segment, query: { segment: '3' } }, 201],
      ['pushPut', { name: '0.ts', body: segment }, 201],
      ['pushPut', { name: 'init.mp4', body: fmp4.init }, 204],
      ['pushPut', { body: `${PLAYLIST}#EXTINF:2,\n0.ts\n` }, 204],
    ];
    for (const [route, request, status] of first) {
      const { call, streams } = await setUp(t);
      assert.equal(await call(route, request), status, route);
      assert.deepEqual(await streams(), ['new']);
    }
  });

  test('is created once by many first uploads, and no object is left of those that were slower', async (t) => {
    const { segments } = await makeSegments({ seconds: 6, size: '64x36' });
    const { call, deps, records } = await setUp(t);
    const uploads = segments.flatMap(({ bytes }, number) =>
      [1, 2].map(() =>
        call('upload', { body: bytes, query: { segment: String(number), session: 'a' } }),
      ),
    );
    const statuses = await Promise.all(uploads);
    assert.ok(
      statuses.every((status) => status === 200 || status === 201),
      `${statuses}`,
    );
    assert.equal(statuses.filter((status) => status === 201).length, segments.length);
    const stream = (await records.findStream('new')) ?? assert.fail();
    const stored = await deps.media.list('source/');
    assert.equal(stored.length, segments.length);
    assert.ok(stored.every((key) => key.startsWith(`source/new/${stream.value.uid}/`)));
  });
});

test('a stream that exists and one that does not are refused alike to a wrong key', async (t) => {
  const { deps } = await setUp(t);
  const { upload, endStream, pushPut } = apiHandlers(deps);
  const { putStream } = await import('../../lib/pipeline/streams.ts');
  const answers = async () => {
    const found: unknown[] = [];
    for (const handler of [upload, endStream, pushPut]) {
      const event = {
        headers: { authorization: 'Bearer wrong' },
        requestContext: { http: { method: 'POST' } },
        pathParameters: { videoId: 'new', name: '0.ts' },
      };
      const { statusCode, body, headers } = await handler(
        event as unknown as HttpEvent,
        {} as Context,
      );
      found.push([statusCode, body, headers]);
    }
    return found;
  };
  const before = await answers();
  await putStream(deps, 'new', {}, false);
  assert.deepEqual(await answers(), before);
});
