import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeTimes } from '../../lib/media/video/decode-times.ts';

describe('decode times', () => {
  test('of frames that are not reordered are their presentation', () => {
    assert.deepEqual(decodeTimes([0, 3600, 7200], 10_800), [0, 3600, 7200]);
  });

  test('of reordered frames keep the pace of the presentation, two frames ahead', () => {
    // I0 P4 B2 b1 b3 P8 B6 b5 b7, as x264 codes them; the last one is shown for one frame.
    assert.deepEqual(
      decodeTimes([0, 14_400, 7200, 3600, 10_800, 28_800, 21_600, 18_000, 25_200], 32_400),
      [0, 1200, 2400, 3600, 7200, 10_800, 14_400, 18_000, 25_200],
    );
  });

  test('of frames that are reordered further lie closer together at the start', () => {
    assert.deepEqual(decodeTimes([0, 300, 200, 100], 400), [0, 33, 66, 100]);
  });

  test('let no frame last longer than the segment', () => {
    // As x264 ends a segment at 15 fps: the last two frames are not reordered.
    assert.deepEqual(
      decodeTimes([0, 24_000, 12_000, 6000, 18_000, 30_000, 36_000], 42_000),
      [0, 2000, 4000, 6000, 12_000, 24_000, 36_000],
    );
  });

  test('of a single frame is its presentation', () => {
    assert.deepEqual(decodeTimes([500], 3600), [500]);
  });

  test('grow from the first presentation on, are never after it, and no frame lasts longer than the segment', () => {
    const frames = fc
      .uniqueArray(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 30 })
      .map((times) => times.map((time) => time * 100))
      .map((times) => [Math.min(...times), ...times.filter((it) => it > Math.min(...times))]);
    fc.assert(
      fc.property(frames, (presentation) => {
        const end = Math.max(...presentation) + 100;
        const times = decodeTimes(presentation, end);
        assert.equal(times[0], presentation[0]);
        times.forEach((time, index) => {
          const shown = presentation[index] ?? 0;
          const next = times[index + 1] ?? end;
          assert.ok(time <= shown);
          assert.ok(time < next);
          assert.ok(shown + (next - time) <= end);
        });
      }),
    );
  });
});
