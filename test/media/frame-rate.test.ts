import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { measureFrames } from '../../lib/media/demux/frame-rate.ts';

const at = (...times: readonly number[]) => times.map((ptsTicks) => ({ ptsTicks }));

describe('the end of a segment:', () => {
  for (const [name, frames, audioEndTicks, expected] of [
    ['a steady rate tells it', at(0, 3600, 7200), 0, [10_800, 25, undefined]],
    ['of one frame it is a guess', at(900), 0, [4500, 25, true]],
    ['a guess goes as far as the sound', at(900), 180_900, [180_900, 0.5, true]],
    ['sound that ends before the frame says nothing', at(900), 800, [4500, 25, true]],
    [
      'a duration in the container is no guess',
      [{ ptsTicks: 0, durationTicks: 90_000 }],
      0,
      [90_000, 1, undefined],
    ],
    [
      'of frames at any distance it is a guess',
      at(0, 3600, 20_000, 21_000, 60_000),
      0,
      [99_000, 4.545, true],
    ],
  ] as const) {
    test(name, () => {
      const { endTicks, framesPerSecond, endIsGuess } = measureFrames(frames, audioEndTicks);
      assert.deepEqual([endTicks, framesPerSecond, endIsGuess], expected);
    });
  }
});
