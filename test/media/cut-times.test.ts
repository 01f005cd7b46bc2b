import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { VideoFacts } from '../../lib/domain/segment.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { cutTimes } from '../../lib/media/cut-times.ts';

const FIRST_TICKS = 1_000_000;

/** In seconds. */
function cut(seconds: number, framesPerSecond: number, targetSeconds?: number) {
  const frames = Array.from({ length: Math.round(seconds * framesPerSecond) }, (_, index) => ({
    ptsTicks: FIRST_TICKS + Math.round((index * TICKS_PER_SECOND) / framesPerSecond),
  }));
  const span = { startTicks: FIRST_TICKS, endTicks: FIRST_TICKS + seconds * TICKS_PER_SECOND };
  const { atTicks, ...repeats } = cutTimes({ frames }, span, targetSeconds);
  return { cuts: atTicks.map((ticks) => ticks / TICKS_PER_SECOND), ...repeats };
}

describe('a segment that is longer than the target duration is cut', () => {
  for (const [title, seconds, fps, target, cuts] of [
    ['not at all if it fits', 2, 25, 2, []],
    ['not at all if its duration rounds to the target', 2.4, 25, 2, []],
    ['into two of equal length', 4, 25, 2, [2]],
    ['into as many as are needed', 5, 25, 2, [1.68, 3.32]],
    ['at a frame', 3, 5, 2, [1.4]],
    ['into pieces of its frames, where they are few', 10, 0.5, 2, [2, 4, 6, 8]],
    ['for a target of 10 s before one is fixed', 25, 25, undefined, [8.32, 16.68]],
  ] as const) {
    test(title, () => assert.deepEqual(cut(seconds, fps, target), { cuts }));
  }

  test('between repeated frames, if one lasts longer than the target', () => {
    assert.deepEqual(cut(10, 0.2, 2), { cuts: [2, 4, 6, 8], repeatsPerSecond: 5 });
  });

  test('of frames that stop for a while at the rate of the others, as often as is needed', () => {
    const seconds = [...Array.from({ length: 50 }, (_, index) => index / 25), 8];
    const frames = seconds.map((at) => ({ ptsTicks: at * TICKS_PER_SECOND }));
    const video = { framesPerSecond: 25 } as VideoFacts;
    const span = { startTicks: 0, endTicks: 9 * TICKS_PER_SECOND, video };
    const { atTicks, repeatsPerSecond } = cutTimes({ frames }, span, 3);
    assert.deepEqual([atTicks, repeatsPerSecond], [[270_000, 540_000], 25]);
  });

  test('in bounded time, however frames lie', () => {
    const frames = Array.from({ length: 18_000 }, (_, index) => ({ ptsTicks: index }));
    const span = { startTicks: 0, endTicks: 60 * TICKS_PER_SECOND };
    assert.equal(cutTimes({ frames }, span, 1).repeatsPerSecond, 5);
  });

  test('of audio alone anywhere', () => {
    const span = { startTicks: 0, endTicks: 5 * TICKS_PER_SECOND };
    assert.deepEqual(cutTimes(undefined, span, 2), { atTicks: [150_000, 300_000] });
  });
});
