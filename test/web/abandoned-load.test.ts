import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RunningLoad, rungInstead } from '../../web/watch/abandoned-load.ts';

/** 240p, 360p, 480p, 720p. */
const RUNGS_BPS = [250_000, 800_000, 1_300_000, 2_700_000];

/** A segment of two seconds of which `received` kilobytes came in `seconds`. */
const load = (rung: number, received: number, seconds: number): RunningLoad => ({
  ...{ rung, durationSeconds: 2, receivedBytes: received * 1000, seconds },
  totalBytes: ((RUNGS_BPS[rung] ?? 0) * 2) / 8,
});

describe('a segment that is on its way', () => {
  const CASES: readonly [string, RunningLoad, number, number | undefined][] = [
    ['comes in time', load(3, 300, 1), 6, undefined],
    ['comes before the buffer is played, if slowly', load(1, 100, 2), 3, undefined],
    ['has only just begun', load(3, 2, 0.5), 1, undefined],
    ['would come too late, and the lowest rung as well', load(1, 30, 1), 1.5, 0],
    ['would come too late, and the next rung in time', load(3, 250, 1), 1.6, 2],
    ['would come too late, and only a lower one in time', load(3, 125, 1), 1.7, 1],
    ['is nearly there', load(1, 190, 6), 0.1, undefined],
    ['is of the lowest rung', load(0, 10, 4), 0, undefined],
    ['has not brought a byte since its first', load(2, 0, 3), 2, 0],
  ];
  for (const [what, running, bufferSeconds, expected] of CASES) {
    const answer = expected === undefined ? 'is waited for' : `makes way for rung ${expected}`;
    test(`a segment that ${what} ${answer}`, () => {
      assert.equal(rungInstead(running, bufferSeconds, RUNGS_BPS), expected);
    });
  }
});
