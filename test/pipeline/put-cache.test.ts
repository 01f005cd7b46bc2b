import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { countingMedia } from '../../bin/estimate/counting-ports.ts';
import { Meter } from '../../bin/estimate/meter.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { cachePuts } from '../../lib/pipeline/jobs/put-cache.ts';
import { transcode } from '../../lib/pipeline/jobs/transcode.ts';
import { deleteStream } from '../../lib/pipeline/streams.ts';
import type { MediaStore } from '../../lib/ports/ports.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';

const LADDER = [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }];

/** Three segments of a stream that has one video and one audio rendition. */
async function makeStream({ deps, records }: TestEngine): Promise<string> {
  const made = newStream('show', START_MS);
  await records.createStream({ ...made, settings: { ...made.settings, ladder: LADDER } });
  const { segments } = await makeSegments({ seconds: 6, size: '160x90', hlsTime: 2 });
  for (const [number, { bytes }] of segments.entries()) {
    const found = (await records.findStream('show')) ?? assert.fail();
    await uploadSegment(deps, found, { number, bytes, pushed: false });
  }
  return made.uid;
}

/** As a worker process has it: one memory for all of its jobs. */
function startWorker({ deps, workFolder }: TestEngine) {
  const meter = new Meter();
  const remembering = { ...deps, media: cachePuts(countingMedia(deps.media, meter)) };
  const signal = new AbortController().signal;
  return async (uid: string, number: number) => {
    meter.reset();
    const job = { videoId: 'show', uid, run: 1, number };
    assert.equal(await transcode.run(remembering, job, { workFolder, signal }), 'done');
    return meter.usage.mediaPuts;
  };
}

async function assertStored({ deps, records }: TestEngine, uid: string, number: number) {
  const outcome = await records.findOutcome({ videoId: 'show', uid }, 1, number);
  assert.ok(outcome?.type === 'rendered');
  for (const { key, initKey } of Object.values(outcome.renditions)) {
    assert.ok(initKey.startsWith(`media/show/${uid}/`));
    assert.ok((await deps.media.head(key)) && (await deps.media.head(initKey)));
  }
}

describe('put cache of a worker', () => {
  test('a worker stores the init segments of a stream once, and every segment', async (t: TestContext) => {
    const engine = await testEngine(t);
    const uid = await makeStream(engine);
    const [one, other] = [startWorker(engine), startWorker(engine)];
    assert.equal(
      await one(uid, 0),
      6,
      'a segment and an init segment for each rendition, a poster, and thumbnails',
    );
    assert.equal(await one(uid, 1), 3, 'a segment for each, and thumbnails');
    assert.equal(await other(uid, 2), 5, 'another worker has yet to find them');
    for (const number of [0, 1, 2]) await assertStored(engine, uid, number);
  });

  test('a worker stores init segments again for a stream that was deleted and created again', async (t: TestContext) => {
    const engine = await testEngine(t);
    const work = startWorker(engine);
    const before = await makeStream(engine);
    await work(before, 0);
    await deleteStream(engine.deps, 'show');
    assert.deepEqual(await engine.deps.media.list('media/show/'), []);
    const after = await makeStream(engine);
    assert.notEqual(after, before, 'made in the same millisecond');
    assert.equal(await work(after, 0), 6);
    await assertStored(engine, after, 0);
  });
});

describe('put cache', () => {
  const bytes = new Uint8Array(8);

  test('a put that failed is not cached', async (t: TestContext) => {
    const { media } = (await testEngine(t)).deps;
    let failures = 1;
    const put: MediaStore['put'] = async (...object) => {
      if (failures-- > 0) throw new Error('The line was cut.');
      return media.put(...object);
    };
    const remembering = cachePuts({ ...media, put });
    await assert.rejects(remembering.put('media/a', bytes, 'video/mp4'), /cut/);
    assert.equal(await remembering.put('media/a', bytes, 'video/mp4'), 'stored');
    assert.equal(await remembering.put('media/a', bytes, 'video/mp4'), 'exists');
  });

  test('the least recently used key is forgotten first', async (t: TestContext) => {
    const meter = new Meter();
    const { media } = (await testEngine(t)).deps;
    const remembering = cachePuts(countingMedia(media, meter), 2);
    for (const key of ['init', 'one', 'init', 'two', 'init', 'three', 'init', 'one']) {
      await remembering.put(`media/${key}`, bytes, 'video/mp4');
    }
    assert.equal(meter.usage.mediaPuts, 5, 'init, one, two, three, and one again');
  });
});
