import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type TrackProgress, waitsUntilMs } from '../../lib/domain/languages/language-wait.ts';

/** An entry from 100 s to 102 s, which could be listed at 103 s; target durations of 2 s. */
const ENTRY = { startMs: 100_000, endMs: 102_000, readyAtMs: 103_000 };
const TARGET_MS = 2000;

const track = (change: Partial<TrackProgress> = {}): TrackProgress => ({
  ...{ startMs: 50_000, covered: [{ startMs: 99_000, endMs: 101_000 }] },
  ...{ newestEndMs: 101_000, newestMs: 2000, newestUploadedAtMs: 101_500, isEnded: false },
  ...change,
});

describe('an entry waits for a language', () => {
  for (const [title, change, nowMs, until] of [
    ['that lacks its end, for a target duration and a segment', {}, 103_000, 107_000],
    ['of long segments for two target durations', { newestMs: 60_000 }, 103_000, 107_000],
    [
      'of short segments for little more than a target duration',
      { newestMs: 200 },
      103_000,
      105_200,
    ],
    [
      'that is there no longer',
      { covered: [{ startMs: 99_000, endMs: 102_000 }] },
      103_000,
      undefined,
    ],
    [
      'whose last frame ends a little before it',
      { covered: [{ startMs: 99_000, endMs: 101_950 }] },
      103_000,
      undefined,
    ],
    ['no longer than that', {}, 107_000, undefined],
    ['not, if its encoder has said the end', { isEnded: true }, 103_000, undefined],
    ['not, if the next segment is overdue', { newestUploadedAtMs: 90_000 }, 103_000, undefined],
    ['not, if it lags by more', { newestEndMs: 95_000, covered: [] }, 103_000, undefined],
    [
      'that begins in it',
      { startMs: 101_500, covered: [], newestEndMs: 101_600 },
      103_000,
      107_000,
    ],
    ['not, if it begins behind it', { startMs: 102_000, covered: [] }, 103_000, undefined],
    [
      'with a hole in it',
      {
        covered: [
          { startMs: 99_000, endMs: 100_500 },
          { startMs: 101_000, endMs: 105_000 },
        ],
      },
      103_000,
      107_000,
    ],
    [
      'whose segments came in any order, no longer',
      {
        covered: [
          { startMs: 101_000, endMs: 103_000 },
          { startMs: 99_000, endMs: 101_000 },
        ],
      },
      103_000,
      undefined,
    ],
    ['not, if it was ready before the clock was set back', {}, 90_000, undefined],
  ] as const satisfies readonly (readonly [
    string,
    Partial<TrackProgress>,
    number,
    number | undefined,
  ])[]) {
    test(title, () => {
      assert.equal(waitsUntilMs(ENTRY, track(change), TARGET_MS, nowMs), until);
    });
  }
});
