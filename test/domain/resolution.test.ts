import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { VideoRendition } from '../../lib/domain/presentation.ts';
import { nearestBelow, parseShortSide } from '../../lib/domain/resolution.ts';

const rung = (widthPx: number, heightPx: number): VideoRendition => ({
  ...{ name: `${heightPx}p`, widthPx, heightPx, codecString: 'avc1', framesPerSecond: 30 },
  ...{ peakBps: 1, averageBps: 1 },
});

const sizes = fc.array(
  fc.record({ w: fc.integer({ min: 64, max: 4320 }), h: fc.integer({ min: 64, max: 4320 }) }),
  {
    minLength: 1,
    maxLength: 8,
  },
);

describe('the rung that a resolution means', () => {
  test('is told by the short side, however it is written', () => {
    for (const [text, px] of [
      ['1080p', 1080],
      ['1080P', 1080],
      ['1080p60', 1080],
      ['720', 720],
      ['1280x720', 720],
      ['720x1280', 720],
      ['1920X804', 804],
    ] as const) {
      assert.equal(parseShortSide(text), px, text);
    }
  });

  test('is none of what names no size', () => {
    for (const text of [
      '',
      'p',
      '8p',
      '00p',
      '5x5',
      '10000p',
      '-720p',
      '7.2e2',
      '720 p',
      'source',
    ]) {
      assert.equal(parseShortSide(text), undefined, text);
    }
  });

  test('is the largest that is no larger than what was asked for, or the smallest of all', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 16, max: 9999 }), (made, asked) => {
        const rungs = made.map(({ w, h }) => rung(w, h));
        const sides = made.map(({ w, h }) => Math.min(w, h));
        for (const px of [asked, sides[0] ?? 0]) {
          const fitting = sides.filter((side) => side <= px);
          const expected = fitting.length > 0 ? Math.max(...fitting) : Math.min(...sides);
          const found = nearestBelow(rungs, `${px}p`) ?? assert.fail();
          assert.equal(Math.min(found.widthPx, found.heightPx), expected);
        }
      }),
    );
  });
});
