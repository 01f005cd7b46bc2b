import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Context } from 'aws-lambda';
import { listClipsHandler, removeClipHandler, saveClipHandler } from '../../lambdas/api/clips.ts';
import { viewClipHandler } from '../../lambdas/api/view-clip.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { OWNER_KEY, START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, settle } from '../support/outcomes.ts';

/** A live stream of 12 s. */
async function setUp(t: TestContext) {
  const engine = await testEngine(t);
  const { deps, records } = engine;
  const made = newStream('show', START_MS);
  const stream = { ...made, uid: 'u1', settings: { ...made.settings, targetDurationSeconds: 4 } };
  assert.ok(await records.createStream(stream));
  for (const number of [0, 1, 2]) {
    await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, number);
  }
  const handlers = {
    view: viewClipHandler(deps),
    list: listClipsHandler(deps),
    save: saveClipHandler(deps),
    remove: removeClipHandler(deps),
  };
  const call = async (
    name: keyof typeof handlers,
    { body, key, ...event }: Partial<HttpEvent> & { key?: string; body?: string } = {},
  ) => {
    const given = {
      pathParameters: { videoId: 'show', ...event.pathParameters },
      queryStringParameters: event.queryStringParameters ?? {},
      headers: key ? { authorization: `Bearer ${key}` } : {},
      ...(body !== undefined && { body }),
    } as unknown as HttpEvent;
    const answer = await handlers[name](given, {} as Context);
    const text = answer.isBase64Encoded
      ? gunzipSync(Buffer.from(answer.body ?? '', 'base64')).toString()
      : (answer.body ?? '');
    const { statusCode, headers = {} } = answer;
    return { statusCode, headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
  };
  const view = (query: Record<string, string>, playlist?: string) =>
    call('view', {
      queryStringParameters: query,
      ...(playlist !== undefined && { pathParameters: { playlist } }),
    });
  return { deps, call, view };
}

describe('the address of a clip', () => {
  test('answers with playlists that caches may keep', async (t) => {
    const { view } = await setUp(t);
    const answer = await view({ from: '1', to: '6' });
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['content-type'], 'application/vnd.apple.mpegurl');
    assert.equal(answer.headers['cache-control'], 'public, max-age=300');
    assert.match(answer.text, /clip\/720p\.m3u8\?from=1&to=6/);
    assert.equal((await view({ from: '1', to: '6' }, 'index.m3u8')).text, answer.text);
    const media = await view({ from: '1', to: '6' }, '720p.m3u8');
    assert.match(media.text, /1-0\.m4s\n.*1-1\.m4s\n#EXT-X-ENDLIST\n$/s);
  });

  test('asks for patience while its file is made, once for all who ask', async (t) => {
    const { deps, view } = await setUp(t);
    const query = { from: '1', to: '6', format: 'mp4', resolution: '360p' };
    for (const _ of [1, 2]) {
      const { statusCode, headers, json } = await view(query);
      assert.equal(statusCode, 202);
      assert.equal(headers['retry-after'], '2');
      assert.deepEqual(json, { ready: false, progress: 0, retryAfterSeconds: 2 });
    }
    const jobs = await deps.queues.backfillJobs.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    assert.equal(jobs.length, 1);
    const { kind, key, from, to, resolution } = JSON.parse(jobs[0]?.body ?? '');
    assert.equal(kind, 'clip');
    assert.match(key, /^media\/show\/u1\/saved\/[0-9a-f]{24}\/show-0h00m01-0h00m06-360p\.mp4$/);
    assert.deepEqual(
      [from, to, resolution],
      [{ offsetTicks: 90_000 }, { offsetTicks: 540_000 }, '360p'],
    );
    await deps.media.put(key, Buffer.from('made'), 'video/mp4');
    const { statusCode, headers } = await view(query);
    assert.deepEqual([statusCode, headers.location], [302, `/${key}`]);
  });

  test('names what it cannot give', async (t) => {
    const { view } = await setUp(t);
    const code = async (query: Record<string, string>, playlist?: string) => {
      const { statusCode, json } = await view(query, playlist);
      return [statusCode, json.code];
    };
    const span = { from: '1', to: '6' };
    assert.deepEqual(await code({ ...span, format: 'avi' }), [400, 'unsupported_format']);
    assert.deepEqual(await code(span, '720p.mpd'), [404, 'rendition_not_found']);
    assert.deepEqual(await code({ from: '6', to: '1' }), [400, 'bad_request']);
    assert.deepEqual(await code({ from: '6', to: '13' }), [404, 'moment_not_found']);
    const mp4 = { ...span, format: 'mp4' };
    assert.deepEqual(await code({ ...mp4, resolution: 'source' }), [404, 'rendition_not_found']);
    assert.deepEqual(await code({ ...mp4, resolution: 'huge' }), [404, 'rendition_not_found']);
    assert.deepEqual(await code({ ...mp4, wait: '99' }), [400, 'bad_request']);
    assert.deepEqual(await code({ format: 'mp4' }), [400, 'bad_request'], 'the stream is live');
  });
});

describe('clips that the owner keeps', () => {
  test('are listed for everybody, once each, until they are removed', async (t) => {
    const { call } = await setUp(t);
    const save = (clip: object, key?: string) =>
      call('save', { body: JSON.stringify(clip), ...(key && { key }) });
    const later = await save({ from: 5.5, to: '2026-01-01T00:00:08Z' }, OWNER_KEY);
    assert.deepEqual([later.statusCode, later.json.from], [201, '2026-01-01T00:00:05.500Z']);
    await save({ from: 1, to: 3, title: 'Goal' }, OWNER_KEY);
    const { json } = await save({ from: 1, to: 3, title: 'The goal' }, OWNER_KEY);
    const goal = {
      id: json.id,
      title: 'The goal',
      from: '2026-01-01T00:00:01.000Z',
      to: '2026-01-01T00:00:03.000Z',
      hls: '/viewstream/show/clip?from=2026-01-01T00:00:01.000Z&to=2026-01-01T00:00:03.000Z',
    };
    assert.deepEqual((await call('list')).json, { clips: [goal, later.json] });
    const remove = (key?: string) =>
      call('remove', { pathParameters: { clipId: later.json.id }, ...(key && { key }) });
    assert.equal((await remove()).statusCode, 401);
    assert.equal((await remove(OWNER_KEY)).statusCode, 204);
    assert.equal((await remove(OWNER_KEY)).statusCode, 204);
    assert.deepEqual((await call('list')).json, { clips: [goal] });
  });

  test('are refused without the key, and for what is no span of the stream', async (t) => {
    const { call } = await setUp(t);
    const status = async (clip: object, key?: string) =>
      (await call('save', { body: JSON.stringify(clip), ...(key && { key }) })).statusCode;
    assert.equal(await status({ from: 1, to: 3 }), 401);
    assert.equal(await status({ from: 1, to: 3 }, 'wrong'), 403);
    assert.equal(await status({ from: 3, to: 1 }, OWNER_KEY), 400);
    assert.equal(await status({ from: 1 }, OWNER_KEY), 400);
    assert.equal(await status({ from: 1, to: 99 }, OWNER_KEY), 404);
    assert.equal(await status({ from: 1, to: 3, title: '' }, OWNER_KEY), 400);
    assert.deepEqual((await call('list')).json, { clips: [] });
  });
});
