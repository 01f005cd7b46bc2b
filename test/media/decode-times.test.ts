import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeTimes } from '../../lib/media/video/decode-times.ts';

describe('decode times', () => {
  test('of frames that are not reordered are their presentation less the delay', () => {
    assert.deepEqual(decodeTimes([0, 3600, 7200], 7200), [-7200, -3600, 0]);
  });

  test('of reordered frames lie at or before their presentation', () => {
    // I0 P4 B2 b1 b3, as x264 codes them.
    assert.deepEqual(
      decodeTimes([0, 14_400, 7200, 3600, 10_800], 7200),
      [-7200, -3600, 0, 3600, 7200],
    );
  });

  test('of frames that are reordered further than the delay are earlier, one after the other', () => {
    assert.deepEqual(
      decodeTimes([0, 300, 200, 100], 10),
      [-10, 90, 99, 100].map((at) => at),
    );
  });

  test('grow, are never after the presentation, and begin a delay before the first', () => {
    const frames = fc
      .uniqueArray(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 30 })
      .map(([first = 0, ...others]) => [
        Math.min(first, ...others),
        ...others.filter((it) => it > Math.min(first, ...others)),
      ]);
    fc.assert(
      fc.property(frames, fc.nat({ max: 20_000 }), (presentation, delay) => {
        const times = decodeTimes(presentation, delay);
        times.forEach((time, index) => {
          assert.ok(time <= (presentation[index] ?? 0));
          if (index > 0) assert.ok(time > (times[index - 1] ?? 0));
        });
      }),
    );
  });
});
