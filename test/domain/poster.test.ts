import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hasPoster } from '../../lib/domain/pictures/poster.ts';

const SECOND = 90_000;
const HALF_MINUTE = 30 * SECOND;

describe('posters of a stream:', () => {
  test('the first segment of a run has one, and each that begins a new half minute', () => {
    const anchor = 10 * SECOND;
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    const segment = (number: number, seconds: number) =>
      [anchor + number * seconds * SECOND, anchor + (number + 1) * seconds * SECOND] as const;
    const withPoster = (seconds: number) =>
      numbers.filter((number) => hasPoster(...segment(number, seconds), anchor));
    assert.deepEqual(withPoster(4), [0, 7, 15, 22, 30, 37]);
    assert.deepEqual(withPoster(2), [0, 15, 30]);
    assert.deepEqual(withPoster(60), numbers);
  });

  test('of segments that abut, as many have one as half minutes begin, wherever they are cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 33 }),
        fc.array(fc.integer({ min: 1, max: HALF_MINUTE }), { minLength: 1, maxLength: 60 }),
        (anchor, durations) => {
          let startTicks = anchor;
          let posters = 0;
          for (const duration of durations) {
            if (hasPoster(startTicks, startTicks + duration, anchor)) posters += 1;
            startTicks += duration;
          }
          assert.equal(posters, Math.ceil((startTicks - anchor) / HALF_MINUTE));
        },
      ),
    );
  });

  test('a segment that came before the first one of its run has its own half minutes', () => {
    assert.equal(hasPoster(-4 * SECOND, -2 * SECOND, 0), false);
    assert.equal(hasPoster(-31 * SECOND, -29 * SECOND, 0), true);
  });
});
