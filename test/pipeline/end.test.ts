import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import { endByCall, requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';
import { at, clip, otherClip, playlistOf, pushTo } from '../support/push.ts';

async function setUp(t: TestContext) {
  const engine = await testEngine(t);
  const { deps, records, clock } = engine;
  const stream = newStream('show', START_MS);
  await records.createStream(stream);
  const viewer = createViewer(deps);
  return {
    clock,
    take: (run: number, number: number) => acknowledge(engine, stream, run, number),
    settle: (run: number, number: number) => settle(engine, stream, run, number),
    call: () => endByCall(deps, stream),
    playlistEnd: (last: number) => requestEnd(deps, stream, 'playlist', last),
    /** The live playlist from its last segment on. */
    shown: async () => {
      await publish(engine, stream);
      const { text } = (await viewer.media('show', '720p', 'live', 1)).document;
      return text
        .trimEnd()
        .split('\n')
        .slice(text.includes('ENDLIST') ? -2 : -1);
    },
  };
}

const ENDED = ['/media/v/720p/1-1.m4s', '#EXT-X-ENDLIST'];

describe('the end by a call', () => {
  const ORDERS = [
    ['segment', 'playlist', 'call'],
    ['segment', 'call', 'playlist'],
    ['playlist', 'segment', 'call'],
    ['playlist', 'call', 'segment'],
    ['call', 'segment', 'playlist'],
    ['call', 'playlist', 'segment'],
  ] as const;
  for (const order of ORDERS) {
    test(`is shown at once though ffmpeg did not wait for answers: ${order.join(', ')}`, async (t) => {
      const { take, settle, call, playlistEnd, shown } = await setUp(t);
      await take(1, 0);
      const steps = { segment: () => take(1, 1), playlist: () => playlistEnd(1), call };
      for (const step of order) await steps[step]();
      await settle(1, 0);
      await settle(1, 1);
      assert.deepEqual(await shown(), ENDED);
    });
  }

  test('counts before the first segment, when the playlist of the encoder follows', async (t) => {
    const { take, settle, call, playlistEnd, shown } = await setUp(t);
    assert.deepEqual(await call(), { ended: false });
    await playlistEnd(1);
    await take(1, 0);
    await take(1, 1);
    await settle(1, 0);
    await settle(1, 1);
    assert.deepEqual(await shown(), ENDED);
  });

  test('waits two seconds for the segment that the playlist has announced', async (t) => {
    const { clock, take, settle, call, playlistEnd, shown } = await setUp(t);
    await take(1, 0);
    await take(1, 1);
    await settle(1, 0);
    await settle(1, 1);
    await playlistEnd(2);
    await call();
    clock.nowMs += 1999;
    assert.deepEqual(await shown(), ENDED.slice(0, 1));
    clock.nowMs += 1;
    assert.deepEqual(await shown(), ENDED);
  });

  test('is kept when the encoder sends its last playlist again', async (t) => {
    const { clock, take, settle, call, playlistEnd, shown } = await setUp(t);
    await take(1, 0);
    await take(1, 1);
    await call();
    clock.nowMs += 10_000;
    await playlistEnd(1);
    await settle(1, 0);
    await settle(1, 1);
    assert.deepEqual(await shown(), ENDED);
  });

  test('is not that of an encoder that starts again right after it', async (t) => {
    const { clock, take, settle, call, playlistEnd, shown } = await setUp(t);
    await take(1, 0);
    await playlistEnd(1);
    await call();
    clock.nowMs += 1000;
    await take(2, 0);
    clock.nowMs += 2000;
    await take(2, 1);
    await settle(1, 0);
    await settle(2, 0);
    await settle(2, 1);
    assert.deepEqual(await shown(), ['/media/v/720p/2-1.m4s']);
  });

  test('is after the first files that still wait for their turn, also of a further run', async (t) => {
    const { deps, records, stream, push, pushAny } = await pushTo(t);
    const [first, second] = await Promise.all([clip(), otherClip()]);
    const names = ['live0.ts', 'live1.ts', 'live2.ts'];
    for (const [index, name] of names.entries()) await push(name, at(first, index));
    const files = names.map((name, index) => push(name, at(second, index)));
    await pushAny('live.m3u8', playlistOf(names, { ended: true }));
    assert.deepEqual(await endByCall(deps, stream), { ended: true, lastSegment: 2 });
    await Promise.all(files);
    const { run, number, reason } = (await records.endRequest(stream)) ?? assert.fail();
    assert.deepEqual({ run, number, reason }, { run: 2, number: 2, reason: 'call' });
  });
});
