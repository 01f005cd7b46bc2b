import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { mediaPrefix } from '../../lib/domain/object-keys.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import type { JobContext } from '../../lib/pipeline/jobs/job-kind.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { partitionOf } from '../../lib/pipeline/records/record-keys.ts';
import { deleteStream } from '../../lib/pipeline/streams.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

const MINUTE_MS = 60_000;
const JOB = { kind: 'recording-playlists', videoId: 'show', uid: 'u1' };

/** Recordings of more than three entries are long; live playlists list three. */
async function setUp(t: TestContext) {
  const { deps, ...parts } = await testEngine(t);
  const engine: TestEngine = { ...parts, deps: { ...deps, longEntries: 3 } };
  const { records, clock } = engine;
  const made = newStream('show', START_MS);
  const settings = { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds: 12 };
  const stream = { ...made, uid: 'u1', settings };
  assert.ok(await records.createStream(stream));
  const upload = async (...numbers: readonly number[]) => {
    for (const number of numbers) {
      await acknowledge(engine, stream, 1, number);
      await settle(engine, stream, 1, number);
    }
  };
  const end = async () => {
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
  };
  /** Ended with 0, a gap, 2 and 3: 1 is still on its way. */
  const endWithGap = async () => {
    await upload(0);
    await acknowledge(engine, stream, 1, 1);
    await upload(2, 3);
    clock.nowMs += 10 * MINUTE_MS;
    await publish(engine, stream);
    await end();
  };
  const { backfillJobs } = deps.queues;
  const waiting = async () => (await backfillJobs.depth()).ready;
  const take = async () => {
    const taken = await backfillJobs.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    await backfillJobs.acknowledge(taken.map(({ receipt }) => receipt));
    return taken;
  };
  const run = (context: Partial<JobContext> = {}) =>
    JOBS.run(engine.deps, JSON.stringify(JOB), {
      ...{ workFolder: engine.workFolder, signal: new AbortController().signal },
      ...context,
    });
  /** Takes and does what waits. */
  const work = async () => {
    const results: string[] = [];
    for (const { body } of await take()) {
      assert.deepEqual(JSON.parse(body), JOB);
      results.push(await run());
    }
    return results;
  };
  const viewer = createViewer(engine.deps);
  const media = async (rendition: string, view: 'live' | 'vod') =>
    (await viewer.media('show', rendition, view)).document.text;
  /** The addresses that new viewers are given. */
  const offered = async () => {
    const { document, maxAgeSeconds } = await viewer.multivariant('show');
    return [...document.text.matchAll(/^show\/.*$/gm), maxAgeSeconds].map(String);
  };
  const objects = () => deps.media.list(`${mediaPrefix(stream)}recording/`);
  return {
    ...{ engine, stream, upload, end, endWithGap, waiting, take, run, work },
    ...{ viewer, media, offered, objects },
  };
}

const LIVE = `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXTINF:4,
/media/v/720p/1-1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXTINF:4,
/media/v/720p/1-2.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z
#EXTINF:4,
/media/v/720p/1-3.m4s
#EXT-X-ENDLIST
`;

const RECORDING = `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4,
/media/v/720p/1-0.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXTINF:4,
/media/v/720p/1-1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXTINF:4,
/media/v/720p/1-2.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z
#EXTINF:4,
/media/v/720p/1-3.m4s
#EXT-X-ENDLIST
`;

const KEYS = ['360p.m3u8', '720p.m3u8', 'manifest.mpd'].map(
  (name) => `media/show/u1/recording/2-4-0/${name}.gz`,
);

describe('viewers of a long recording', () => {
  test('have the live playlists until its own are stored, and from then on those', async (t) => {
    const { engine, viewer, upload, end, work, media, offered, objects } = await setUp(t);
    await upload(0, 1, 2, 3);
    await end();
    assert.deepEqual(await offered(), ['show/720p.m3u8', 'show/360p.m3u8', '1']);
    assert.equal(await media('720p', 'live'), LIVE);
    await assert.rejects(media('720p', 'vod'), {
      code: 'not_ready',
      message: 'The recording of "show" has 4 entries; its playlists are not made yet.',
      hint: /^A worker makes them.* leave view=vod out for the live playlist\.$/,
    });
    assert.deepEqual(await objects(), []);
    assert.deepEqual(await work(), ['done']);
    assert.deepEqual(await offered(), ['show/720p.m3u8?view=vod', 'show/360p.m3u8?view=vod', '10']);
    assert.equal(await media('720p', 'vod'), RECORDING);
    assert.equal(await media('360p', 'vod'), RECORDING.replaceAll('/720p/', '/360p/'));
    const short = await createViewer({ ...engine.deps, longEntries: 100 }).dash('show', 'vod');
    assert.equal((await viewer.dash('show', 'vod')).document.text, short.document.text);
    assert.equal(await media('720p', 'live'), LIVE, 'who watched live keeps the playlist');
    assert.deepEqual(await objects(), KEYS);
  });

  test('keep the recording as it was when a segment comes late, until the one with it is stored', async (t) => {
    const { engine, stream, endWithGap, waiting, work, media, viewer, offered, objects } =
      await setUp(t);
    await endWithGap();
    assert.deepEqual(await work(), ['done']);
    const before = await media('720p', 'vod');
    assert.match(before, /^#EXT-X-GAP$/m);
    await settle(engine, stream, 1, 1);
    for (const viewing of [viewer, createViewer(engine.deps)]) {
      const { document } = await viewing.multivariant('show');
      assert.match(document.text, /^show\/720p\.m3u8\?view=vod$/m);
      assert.equal((await viewing.media('show', '720p', 'vod')).document.text, before);
    }
    assert.equal(await waiting(), 1);
    assert.deepEqual(await work(), ['done']);
    assert.equal((await offered())[0], 'show/720p.m3u8?view=vod');
    assert.equal(await media('720p', 'vod'), RECORDING);
    assert.equal((await viewer.state('show')).durationSeconds, 16);
    assert.deepEqual(await objects(), [...KEYS, ...KEYS.map((key) => key.replace('4-0', '4-1'))]);
  });

  test('are told its length without a reading of all entries', async (t) => {
    const { engine, stream, upload, end, work, viewer } = await setUp(t);
    await upload(0);
    await acknowledge(engine, stream, 1, 1);
    await acknowledge(engine, stream, 1, 2);
    await upload(3);
    engine.clock.nowMs += 10 * MINUTE_MS;
    await publish(engine, stream);
    await end();
    // Behind the last entry, which only the recording has.
    await settle(engine, stream, 1, 1);
    const readings = t.mock.method(engine.records, 'entries');
    assert.equal((await viewer.state('show')).durationSeconds, 16);
    assert.equal(readings.mock.callCount(), 0);
    await work();
    const count = readings.mock.callCount();
    assert.equal((await viewer.state('show')).durationSeconds, 16);
    assert.equal(readings.mock.callCount(), count);
  });

  test('have the recording itself in the request, as ever, when it is short', async (t) => {
    const { upload, end, waiting, media, offered, objects } = await setUp(t);
    await upload(0, 1);
    await end();
    assert.deepEqual(await offered(), ['show/720p.m3u8?view=vod', 'show/360p.m3u8?view=vod', '10']);
    assert.match(await media('720p', 'vod'), /1-0\.m4s\n.*1-1\.m4s\n#EXT-X-ENDLIST\n$/s);
    assert.deepEqual([await waiting(), await objects()], [0, []]);
  });
});

describe('the job that makes playlists of a long recording', () => {
  test('is queued once when the stream ends, and has a worker started', async (t) => {
    const { engine, stream, upload, end, waiting, take } = await setUp(t);
    await upload(0, 1, 2, 3);
    assert.equal(await waiting(), 0);
    await end();
    for (let again = 0; again < 3; again += 1) await publish(engine, stream);
    const messages = await take();
    assert.deepEqual(
      messages.map(({ body, group }) => [JSON.parse(body), group]),
      [[JOB, 'u1']],
    );
    assert.equal((await engine.deps.queues.scaling.depth()).ready, 1);
  });

  test('is one message, however many requests come before it is done', async (t) => {
    const { engine, stream, upload, end, waiting, take, media } = await setUp(t);
    await upload(0, 1, 2, 3);
    await end();
    const all = async () => {
      for (let request = 0; request < 5; request += 1) {
        await assert.rejects(media('720p', 'vod'), { code: 'not_ready' });
        await media('720p', 'live');
        await publish(engine, stream);
      }
    };
    await all();
    engine.clock.nowMs += 24 * 60 * MINUTE_MS;
    await all();
    assert.equal(await waiting(), 1, 'one that waits is not lost');
    await take();
    engine.clock.nowMs -= 24 * 60 * MINUTE_MS;
    await all();
    assert.equal(await waiting(), 0, 'a worker may have it');
    engine.clock.nowMs += 15 * MINUTE_MS;
    await all();
    assert.equal(await waiting(), 1, 'it was lost, or given up');
  });

  for (const view of ['live', 'vod'] as const) {
    test(`is queued by a request of ?view=${view} for a recording from before there were such jobs`, async (t) => {
      const { engine, stream, upload, waiting, work, media, offered } = await setUp(t);
      await upload(0, 1, 2, 3);
      await requestEnd(engine.deps, stream, 'call');
      await publish({ ...engine, deps: { ...engine.deps, longEntries: 9 } }, stream);
      assert.equal(await waiting(), 0);
      await media('720p', view).catch(() => {});
      assert.deepEqual(await work(), ['done']);
      assert.equal((await offered())[0], 'show/720p.m3u8?view=vod');
    });
  }

  test('is queued by the next request when its message could not be sent', async (t) => {
    const { engine, upload, end, waiting, media } = await setUp(t);
    await upload(0, 1, 2, 3);
    const send = t.mock.method(engine.deps.queues.backfillJobs, 'send', async () => {
      throw new Error('the queue cannot be reached');
    });
    await assert.rejects(end(), /cannot be reached/, 'the publish request comes again');
    const logged = t.mock.method(console, 'error', () => {});
    assert.equal(await media('720p', 'live'), LIVE, 'who watches does not notice');
    assert.match(String(logged.mock.calls[0]?.arguments[0]), /cannot be reached/);
    send.mock.restore();
    await assert.rejects(media('720p', 'vod'), { code: 'not_ready' });
    assert.equal(await waiting(), 1);
  });

  test('done twice changes nothing, and reads nothing again', async (t) => {
    const { engine, upload, end, work, run, objects, media } = await setUp(t);
    await upload(0, 1, 2, 3);
    await end();
    await work();
    const readings = t.mock.method(engine.records, 'entries');
    assert.equal(await run(), 'done');
    assert.equal(readings.mock.callCount(), 0);
    assert.deepEqual(await objects(), KEYS);
    assert.equal(await media('720p', 'vod'), RECORDING);
  });

  test('makes again what is no longer stored', async (t) => {
    const { engine, upload, end, work, run, objects } = await setUp(t);
    await upload(0, 1, 2, 3);
    await end();
    await work();
    await engine.deps.media.delete(KEYS.slice(1));
    assert.equal(await run(), 'done');
    assert.deepEqual(await objects(), KEYS);
  });

  test('is obsolete when the stream is gone, and leaves nothing behind', async (t) => {
    const { engine, stream, upload, end, run, objects } = await setUp(t);
    const left = async () => [
      ...(await objects()),
      ...(await engine.deps.store.query(partitionOf(stream))),
    ];
    await upload(0, 1, 2, 3);
    await end();
    const { records } = engine;
    const entries = records.entries.bind(records);
    t.mock.method(records, 'entries', async (...range: Parameters<typeof entries>) => {
      const found = await entries(...range);
      await deleteStream(engine.deps, 'show');
      return found;
    });
    assert.equal(await run(), 'obsolete', 'it went while the job read it');
    assert.deepEqual(await left(), []);
    assert.equal(await run(), 'obsolete');
    assert.deepEqual(await left(), []);
    await records.createStream({ ...stream, uid: 'u2' });
    assert.equal(await run(), 'obsolete', 'another one has its name');
  });

  test('is obsolete when the stream went on, and is queued again at the next end', async (t) => {
    const { upload, end, waiting, work, media, objects } = await setUp(t);
    await upload(0, 1, 2, 3);
    await end();
    await upload(4);
    assert.deepEqual(await work(), ['obsolete']);
    assert.deepEqual(await objects(), []);
    await end();
    assert.equal(await waiting(), 1);
    assert.deepEqual(await work(), ['done']);
    assert.match(await media('720p', 'vod'), /1-4\.m4s\n#EXT-X-ENDLIST\n$/);
  });

  test('makes also what has come late while it ran: no other message was sent for that', async (t) => {
    const { engine, stream, endWithGap, waiting, work, media, objects } = await setUp(t);
    await endWithGap();
    const { records } = engine;
    const entries = records.entries.bind(records);
    const hook = t.mock.method(records, 'entries', async (...range: Parameters<typeof entries>) => {
      const found = await entries(...range);
      hook.mock.restore();
      await settle(engine, stream, 1, 1);
      return found;
    });
    assert.deepEqual(await work(), ['done']);
    assert.equal(await waiting(), 0);
    assert.equal(await media('720p', 'vod'), RECORDING);
    assert.equal((await objects()).length, 6);
  });

  test('stops between two pages when its lease is lost, and stores nothing', async (t) => {
    const { engine, stream, upload, end, run, objects } = await setUp(t);
    await upload(0, 1, 2, 3);
    await end();
    const { records } = engine;
    const { value: state, version } = await records.timeline(stream);
    const [entry] = await records.entries(stream, 1, 1);
    assert.ok(entry);
    t.mock.method(records, 'timeline', async () => ({
      value: { ...state, nextSequence: 5000 },
      version,
    }));
    const cut = new AbortController();
    const pages = t.mock.method(records, 'entries', async () => {
      if (pages.mock.callCount() === 1) cut.abort(new Error('by the test'));
      return Array(500).fill(entry);
    });
    await assert.rejects(run({ signal: cut.signal }), /by the test/);
    assert.ok(pages.mock.callCount() <= 3, 'of ten');
    assert.deepEqual(await objects(), []);
  });

  test('given up, it leaves viewers the live playlists, and a later request queues it again', async (t) => {
    const { engine, upload, end, waiting, take, media, offered } = await setUp(t);
    await upload(0, 1, 2, 3);
    await end();
    for (const { body } of await take()) await JOBS.giveUp(engine.deps, body, 'too often');
    assert.equal((await offered())[0], 'show/720p.m3u8');
    engine.clock.nowMs += 15 * MINUTE_MS;
    assert.equal(await media('720p', 'live'), LIVE);
    assert.equal(await waiting(), 1);
  });

  test('takes no message without a stream', async (t) => {
    const { engine } = await setUp(t);
    const body = JSON.stringify({ kind: JOB.kind, videoId: 'show' });
    const context = { workFolder: '/nowhere', signal: new AbortController().signal };
    await assert.rejects(JOBS.run(engine.deps, body, context), /no job of a stream/);
  });
});
