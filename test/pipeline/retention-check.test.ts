import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { viewMetadataHandler, viewPlaylistHandler } from '../../lambdas/api/view.ts';
import { delayedHandler } from '../../lambdas/queue/delayed.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { checkRetention } from '../../lib/pipeline/upkeep/retention.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { DAY_MS, keptShow, numbersOf } from '../support/kept-show.ts';
import { makeSegments } from '../support/media.ts';

async function take(queue: WorkQueue): Promise<Record<string, unknown>[]> {
  const taken = await queue.receive({ max: 1000, waitMs: 0, leaseMs: 1000 });
  await queue.acknowledge(taken.map(({ receipt }) => receipt));
  return taken.map(({ body }) => JSON.parse(body));
}

describe('the check of all streams for retention', () => {
  const jobs = ({ deps }: TestEngine) => take(deps.queues.analysisJobs);

  async function expired(t: TestContext) {
    const engine = await testEngine(t);
    const show = await keptShow(engine, { days: 1 });
    await show.air([0, 1, 2, 3, 4]);
    engine.clock.nowMs += 2 * DAY_MS;
    return show;
  }

  test('queues the job of a stream of which something has expired, once in six hours', async (t) => {
    const { engine } = await expired(t);
    await engine.records.createStream({ ...newStream('quiet', START_MS) });
    const job = { kind: 'retention', videoId: 'show', uid: 'u1' };
    await checkRetention(engine.deps, { type: 'retention' });
    assert.deepEqual(await jobs(engine), [job]);
    assert.deepEqual((await take(engine.deps.queues.scaling)).length, 1, 'and asks for a worker');
    engine.clock.nowMs += 6 * 3_600_000 - 1;
    await checkRetention(engine.deps, { type: 'retention' });
    assert.deepEqual(await jobs(engine), []);
    engine.clock.nowMs += 1;
    await checkRetention(engine.deps, { type: 'retention' });
    assert.deepEqual(await jobs(engine), [job]);
    engine.clock.nowMs -= 30 * DAY_MS;
    await checkRetention(engine.deps, { type: 'retention' });
    assert.deepEqual(await jobs(engine), [], 'nothing has expired by this clock');
  });

  test('goes on with the next hundred streams by another message', async (t) => {
    const { engine } = await expired(t);
    for (let index = 0; index < 150; index += 1) {
      const id = `cam-${String(index).padStart(3, '0')}`;
      await engine.records.createStream({ ...newStream(id, START_MS) });
    }
    await checkRetention(engine.deps, { type: 'retention' });
    assert.deepEqual(await jobs(engine), []);
    const [next, ...others] = await take(engine.deps.queues.delayed);
    assert.deepEqual([next, others], [{ type: 'retention', after: 'cam-099' }, []]);
    await checkRetention(engine.deps, { type: 'retention', after: 'cam-099' });
    assert.equal((await jobs(engine)).length, 1);
    assert.deepEqual(await take(engine.deps.queues.delayed), []);
  });

  test('is done by what handles delayed messages', async (t) => {
    const { engine } = await expired(t);
    const record = { messageId: '1', body: '{"type":"retention"}', attributes: {} };
    const handler = delayedHandler(engine.deps) as unknown as (
      event: object,
      context: object,
    ) => Promise<unknown>;
    await handler({ Records: [record] }, {});
    assert.equal((await jobs(engine)).length, 1);
  });
});

describe('uploads of what has expired', () => {
  async function uploading(t: TestContext) {
    const engine = await testEngine(t);
    const made = newStream('show', START_MS);
    const stream = { ...made, settings: { ...made.settings, retention: { days: 1 } } };
    await engine.records.createStream(stream);
    const { segments } = await makeSegments({ seconds: 4 });
    const upload = async (number: number, more: object = {}) => {
      const found = await engine.records.findStream('show');
      const bytes = segments[number % segments.length]?.bytes;
      assert.ok(found && bytes);
      return uploadSegment(engine.deps, found, { number, bytes, pushed: false, ...more });
    };
    return { engine, stream, upload };
  }

  test('are refused by the time that the encoder says', async (t) => {
    const { engine, upload } = await uploading(t);
    await assert.rejects(upload(0, { atMs: START_MS - DAY_MS }), {
      code: 'expired',
      message:
        'Segment 0 is of 2025-12-31T00:00:00.000Z that has expired: recordings of "show" are kept for 1 day.',
    });
    await upload(0, { atMs: START_MS - DAY_MS + 1 });
    assert.equal((await engine.deps.media.list('source/show/')).length, 1);
  });
});

describe('the address of a recording that has changed', () => {
  test('redirects to that of the newest', async (t) => {
    const engine = await testEngine(t);
    const show = await keptShow(engine, { days: 1 });
    await show.air([0], DAY_MS);
    await show.air([1], 100_000);
    await show.end();
    await show.retain();
    engine.clock.nowMs += DAY_MS / 2;
    const handler = viewPlaylistHandler(engine.deps) as unknown as (
      event: object,
      context: object,
    ) => Promise<Record<string, unknown>>;
    const ask = (kept?: string) =>
      handler(
        {
          headers: {},
          pathParameters: { videoId: 'show', playlist: '720p.m3u8' },
          queryStringParameters: { view: 'vod', ...(kept && { kept }) },
          requestContext: { http: { method: 'GET', path: '/' }, requestId: '1' },
        },
        {},
      );
    for (const old of [undefined, '2', 'x', '0.5']) {
      const { statusCode, headers } = await ask(old);
      assert.deepEqual(
        [statusCode, headers],
        [307, { location: '720p.m3u8?view=vod&kept=1', 'cache-control': 'public, max-age=10' }],
        String(old),
      );
    }
    assert.equal(numbersOf(String((await ask('1')).body)), '1');
    const mpd = viewMetadataHandler(engine.deps) as unknown as typeof handler;
    const { statusCode, headers } = await mpd(
      {
        headers: {},
        pathParameters: { videoId: 'show.mpd' },
        queryStringParameters: { view: 'vod' },
        requestContext: { http: { method: 'GET', path: '/' }, requestId: '1' },
      },
      {},
    );
    assert.deepEqual(
      [statusCode, headers],
      [307, { location: 'show.mpd?view=vod&kept=1', 'cache-control': 'public, max-age=10' }],
    );
  });

  test('of a long one is what is stored, until its new playlists are made', async (t) => {
    const { deps, ...parts } = await testEngine(t);
    const engine: TestEngine = { ...parts, deps: { ...deps, longEntries: 2 } };
    const show = await keptShow(engine, { days: 1 });
    const make = async () => {
      const [job] = await take(deps.queues.backfillJobs);
      assert.equal(job?.kind, 'recording-playlists');
      await show.work();
      await show.runJob(JSON.stringify(job));
    };
    await show.air([0, 1, 2, 3, 4]);
    await show.end();
    await make();
    assert.equal(await show.offered(), 'show/720p.m3u8?view=vod');
    engine.clock.nowMs = START_MS + DAY_MS + 8000;
    await show.retain();
    assert.equal(await show.offered(), 'show/720p.m3u8?view=vod');
    assert.equal(numbersOf(await show.media('vod', 0)), '0 1 2 3 4');
    await make();
    assert.equal(await show.offered(), 'show/720p.m3u8?view=vod&kept=1');
    assert.equal(numbersOf(await show.media('vod', 1)), '2 3 4');
    await assert.rejects(show.media('vod', 0), { query: '?view=vod&kept=1' });
    engine.clock.nowMs += DAY_MS;
    await show.retain();
    assert.deepEqual(await deps.media.list('media/show/u1/recording/'), [
      'media/show/u1/recording/2-5-0-k1/720p.m3u8.gz',
      'media/show/u1/recording/2-5-0-k1/manifest.mpd.gz',
    ]);
  });
});
