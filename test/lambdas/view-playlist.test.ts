import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Context } from 'aws-lambda';
import { viewPlaylistHandler } from '../../lambdas/api/view.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { recordingPlaylists } from '../../lib/pipeline/jobs/recording-playlists.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { documentOf } from '../../lib/pipeline/view/document.ts';
import { createViewer, type Viewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

type Headers = Readonly<Record<string, string>>;

async function setUp(t: TestContext) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const stream = { ...made, settings: { ...made.settings, targetDurationSeconds: 4 } };
  await engine.records.createStream(stream);
  for (const number of [0, 1, 2]) {
    await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, number);
  }
  const get = async (viewer: Viewer, headers: Headers, view = 'live') => {
    const event = {
      headers,
      pathParameters: { videoId: 'show', playlist: '720p.m3u8' },
      queryStringParameters: { view },
    };
    const handler = viewPlaylistHandler(engine.deps, viewer);
    const answer = await handler(event as unknown as HttpEvent, {} as Context);
    return { ...answer, headers: answer.headers ?? {} };
  };
  return { engine, stream, get, viewer: createViewer(engine.deps) };
}

describe('a playlist by HTTP', () => {
  test('is compressed for those who take it, with a tag of its own', async (t) => {
    const { get, viewer } = await setUp(t);
    const plain = await get(viewer, {});
    assert.match(plain.body ?? '', /^#EXTM3U\n/);
    for (const accepted of ['gzip', 'br, gzip;q=0.5', '*']) {
      const packed = await get(viewer, { 'accept-encoding': accepted });
      assert.equal(packed.headers['content-encoding'], 'gzip', accepted);
      assert.notEqual(packed.headers.etag, plain.headers.etag);
      const bytes = Buffer.from(packed.body ?? '', 'base64');
      assert.equal(gunzipSync(bytes).toString(), plain.body);
    }
    for (const accepted of ['identity', 'gzip;q=0', 'gzip;q=0.0, *', 'br', '*;q=0']) {
      const { headers } = await get(viewer, { 'accept-encoding': accepted });
      assert.equal(headers['content-encoding'], undefined, accepted);
    }
  });

  test('is not sent again to those who have it, however they say so', async (t) => {
    const { get, viewer } = await setUp(t);
    for (const coding of [{}, { 'accept-encoding': 'gzip' }] as Headers[]) {
      const { etag } = (await get(viewer, coding)).headers;
      const statusFor = async (known: string) =>
        (await get(viewer, { ...coding, 'if-none-match': known })).statusCode;
      for (const known of [`${etag}`, `W/${etag}`, `"a", ${etag}`, `W/"a",W/${etag}`, '*']) {
        assert.equal(await statusFor(known), 304, known);
      }
      for (const known of ['"a"', `"a${etag}"`, 'W/"*"']) {
        assert.equal(await statusFor(known), 200, known);
      }
    }
  });
});

describe('the playlist of a long recording', () => {
  test('is not made while its viewer waits: its job is requested, and the answer says so', async (t) => {
    const { engine, stream, get } = await setUp(t);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const readings = t.mock.method(engine.records, 'entries');
    const answer = await get(createViewer({ ...engine.deps, longEntries: 2 }), {}, 'vod');
    assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, '10']);
    assert.match(answer.body ?? '', /^\{"code":"not_ready","message":".* not made yet\./);
    assert.equal((await engine.deps.queues.backfillJobs.depth()).ready, 1);
    assert.equal(readings.mock.callCount(), 0);
  });

  test('is made once for all renditions, and is the same compressed and as an object', async (t) => {
    const { engine, stream, get, viewer } = await setUp(t);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const whole = await get(viewer, {}, 'vod');
    const readings: number[] = [];
    const read = engine.records.entries.bind(engine.records);
    t.mock.method(engine.records, 'entries', (...range: Parameters<typeof read>) => {
      readings.push(range[1]);
      return read(...range);
    });
    const { videoId, uid } = stream;
    const job = JSON.stringify({ kind: recordingPlaylists.name, videoId, uid });
    const { signal } = new AbortController();
    await JOBS.run(engine.deps, job, { workFolder: engine.workFolder, signal });
    for (const number of [1, 2]) {
      const long = createViewer({ ...engine.deps, longEntries: 2 });
      const packed = await get(long, { 'accept-encoding': 'gzip' }, 'vod');
      const bytes = Buffer.from(packed.body ?? '', 'base64');
      assert.equal(gunzipSync(bytes).toString(), whole.body, `reader ${number}`);
      const plain = await get(long, {}, 'vod');
      assert.equal(plain.statusCode, 307);
      const path = String(plain.headers.location);
      assert.match(path, /^\/media\/show\/.*720p\.m3u8$/);
      assert.equal(
        String(Buffer.from((await engine.deps.media.get(path.slice(1))) ?? [])),
        whole.body,
      );
      assert.match(
        (await long.media('show', '360p', 'vod')).document.text,
        /360p\/1-2\.m4s\n.*ENDLIST/s,
      );
    }
    assert.deepEqual(readings, [0]);
  });
});

describe('a live playlist that is longer than an answer', () => {
  const text = `#EXTM3U\n${'x'.repeat(6_000_000)}`;
  const viewed = { document: documentOf(text), maxAgeSeconds: 1 };

  test('is compressed for all who do not refuse that, who are told what to do', async (t) => {
    const { get, viewer } = await setUp(t);
    const long: Viewer = { ...viewer, media: async () => viewed };
    for (const headers of [{}, { 'accept-encoding': 'gzip' }] as Headers[]) {
      const answer = await get(long, headers);
      assert.equal(answer.headers['content-encoding'], 'gzip');
    }
    const refused = await get(long, { 'accept-encoding': 'identity' });
    assert.equal(refused.statusCode, 406);
    assert.match(refused.body ?? '', /6000008 bytes.*Accept-Encoding: gzip.*dvrWindowSeconds/);
  });
});
