import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { listStreams, putStream } from '../../lib/pipeline/streams.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

async function start(t: TestContext) {
  const engine = await testEngine(t);
  const { deps, records, clock } = engine;
  await putStream(deps, 'show', { targetDurationSeconds: 4, idleTimeoutSeconds: 30 }, false);
  const { value: stream } = (await records.findStream('show')) ?? assert.fail();
  const viewer = createViewer(deps);
  /** Seconds from the start of the test, and how many segments wait. */
  const shown = async () => {
    const view = await viewer.state('show');
    const { newestUploadAt, waitingSegments, waitingSince, serverTime } = view;
    const [{ storageBytes: _, ...listed } = assert.fail()] = await listStreams(deps, true);
    assert.deepEqual(listed, view, 'owners and viewers are told the same');
    const seconds = (time: string | undefined) =>
      time === undefined ? undefined : (Date.parse(time) - START_MS) / 1000;
    return [seconds(serverTime), seconds(newestUploadAt), waitingSegments, seconds(waitingSince)];
  };
  return {
    ...{ engine, stream, shown },
    /** `seconds` after the step before. */
    upload: async (run: number, number: number, seconds: number) => {
      clock.nowMs += seconds * 1000;
      await acknowledge(engine, stream, run, number);
    },
    complete: (run: number, number: number) => settle(engine, stream, run, number),
  };
}

describe('what has come in of a stream', () => {
  test('is the time of the newest upload, and how many segments no worker has completed', async (t) => {
    const { shown, upload, complete } = await start(t);
    assert.deepEqual(await shown(), [undefined, undefined, undefined, undefined]);
    await upload(1, 0, 1);
    assert.deepEqual(await shown(), [1, 1, 1, 1], 'before anything is published');
    await complete(1, 0);
    await upload(1, 1, 4);
    await upload(1, 2, 4);
    assert.deepEqual(await shown(), [9, 9, 2, 5]);
    await complete(1, 2);
    assert.deepEqual(
      await shown(),
      [9, 9, 1, 5],
      'one that waits for another to be listed is done',
    );
    await complete(1, 1);
    assert.deepEqual(await shown(), [9, 9, 0, undefined]);
  });

  test('says what each step of the newest listed segment took', async (t) => {
    const { engine, stream, upload } = await start(t);
    await upload(1, 0, 1);
    const uploadedAtMs = engine.clock.nowMs;
    engine.clock.nowMs += 500;
    const startedAtMs = engine.clock.nowMs;
    engine.clock.nowMs += 1250;
    await settle(engine, stream, 1, 0, undefined, { startedAtMs, publishAfterMs: 20 });
    const { newestHops } = await createViewer(engine.deps).state('show');
    // The clock of the run says that its first segment ended when it was uploaded.
    const { value } = await engine.records.timeline(stream);
    const upload0 = Math.max(0, uploadedAtMs - value.endProgramDateTimeMs) / 1000;
    assert.deepEqual(newestHops, { upload: upload0, queue: 0.5, transcode: 1.25, list: 0.02 });
  });

  test('counts what waits of a run that the encoder has left, and of the next', async (t) => {
    const { shown, upload, complete } = await start(t);
    await upload(1, 0, 1);
    await complete(1, 0);
    await upload(1, 1, 4);
    await upload(2, 0, 10);
    assert.deepEqual(await shown(), [15, 15, 2, 5]);
  });

  test('is shown until viewers are shown the end', async (t) => {
    const { engine, stream, shown, upload, complete } = await start(t);
    await upload(1, 0, 1);
    await complete(1, 0);
    await requestEnd(engine.deps, stream, 'playlist');
    await publish(engine, stream);
    engine.clock.nowMs += 29_000;
    assert.deepEqual(await shown(), [30, 1, 0, undefined]);
    engine.clock.nowMs += 1000;
    assert.deepEqual(await shown(), [undefined, undefined, undefined, undefined]);
  });
});
