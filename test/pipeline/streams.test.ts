import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { putStream, showStream } from '../../lib/pipeline/streams.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

async function start(t: TestContext, dvrWindowSeconds: number | null) {
  const engine = await testEngine(t);
  const { deps, records } = engine;
  await putStream(deps, 'show', { targetDurationSeconds: 4, dvrWindowSeconds }, false);
  const { value: stream } = (await records.findStream('show')) ?? assert.fail();
  let next = 0;
  const upload = async (count: number) => {
    for (; count > 0; count -= 1, next += 1) {
      await acknowledge(engine, stream, 1, next);
      await settle(engine, stream, 1, next);
    }
  };
  const viewer = createViewer(deps);
  /** First and last sequence and the type of the live playlist, the same from a cold process. */
  const live = async () => {
    const { text } = (await viewer.media('show', '720p', 'live')).document;
    const cold = await createViewer(deps).media('show', '720p', 'live');
    assert.equal(text, cold.document.text, 'a warm and a cold process print the same');
    const { mediaSequence, segments, playlistType } = parseMediaWithHls(text);
    return [mediaSequence, segments.at(-1)?.sequence, playlistType];
  };
  /** What PUT does, with the publish request that it sends. */
  const change = async (seconds: number | null) => {
    await putStream(deps, 'show', { dvrWindowSeconds: seconds }, false);
    await publish(engine, stream);
  };
  return { engine, stream, upload, live, change };
}

describe('the target duration of a stream', () => {
  test('stays as it is once the stream has media: another one is refused', async (t) => {
    const { engine, upload } = await start(t, null);
    const put = (targetDurationSeconds: number) =>
      putStream(engine.deps, 'show', { targetDurationSeconds }, false);
    const target = async () =>
      (await showStream(engine.deps, 'show')).settings.targetDurationSeconds;
    await put(5);
    assert.equal(await target(), 5);
    await upload(1);
    await assert.rejects(put(6), { code: 'stream_exists' });
    await assert.rejects(put(4), { code: 'stream_exists' });
    await put(5);
    assert.equal(await target(), 5);
  });
});

describe('the DVR window of a running stream', () => {
  test('never brings back what has left the playlist: 20 s, 40 s, no limit', async (t) => {
    const { upload, live, change } = await start(t, 20);
    await upload(20);
    assert.deepEqual(await live(), [15, 19, null]);
    await change(40);
    assert.deepEqual(await live(), [15, 19, null]);
    await upload(6);
    assert.deepEqual(await live(), [16, 25, null]);
    await change(null);
    await upload(10);
    assert.deepEqual(await live(), [16, 35, null]);
    await change(20);
    assert.deepEqual(await live(), [31, 35, null]);
    await change(null);
    await upload(1);
    assert.deepEqual(await live(), [31, 36, null]);
  });

  test('takes nothing from an EVENT playlist, which stays one', async (t) => {
    const { engine, stream, upload, live, change } = await start(t, null);
    await upload(20);
    assert.deepEqual(await live(), [0, 19, 'EVENT']);
    await change(20);
    await upload(1);
    assert.deepEqual(await live(), [0, 20, 'EVENT']);
    const { dvrWindowSeconds } = await showStream(engine.deps, stream.videoId);
    assert.equal(dvrWindowSeconds, undefined, 'viewers can go back to the start');
  });

  test('takes effect with the publisher, the only writer of the timeline', async (t) => {
    const { engine, stream, upload, live } = await start(t, 40);
    await upload(20);
    await putStream(engine.deps, 'show', { dvrWindowSeconds: 20 }, false);
    assert.deepEqual(await live(), [10, 19, null]);
    await publish(engine, stream);
    assert.deepEqual(await live(), [15, 19, null]);
  });

  test('of a timeline that has none recorded is that of the settings', async (t) => {
    const { engine, stream, upload, live } = await start(t, 20);
    await upload(20);
    const { value, version } = await engine.records.timeline(stream);
    const { dvrWindowTicks: _, firstListedSequence: __, isEvent: ___, ...old } = value;
    assert.ok(await engine.records.appendEntries(stream, [], old as typeof value, version));
    assert.deepEqual(await live(), [15, 19, null]);
    await upload(1);
    assert.deepEqual(await live(), [16, 20, null]);
  });
});
