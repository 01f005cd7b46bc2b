import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EndEvidence, segmentEnd } from '../../lib/domain/segment-end.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';

/** In seconds, of a segment from 10 s on. */
const end = ({
  ends = 12,
  ...evidence
}: {
  ends?: number;
  next?: number;
  said?: number;
  guess?: boolean;
  reordered?: boolean;
}): number | undefined => {
  const { next, said, guess = false, reordered = false } = evidence;
  const given: EndEvidence = {
    startTicks: 10 * TICKS_PER_SECOND,
    endTicks: ends * TICKS_PER_SECOND,
    isGuess: guess,
    isReordered: reordered,
    nextStartTicks: next === undefined ? undefined : next * TICKS_PER_SECOND,
    saidSeconds: said,
  };
  const ticks = segmentEnd(given);
  return ticks === undefined ? undefined : ticks / TICKS_PER_SECOND;
};

describe('the end of a segment', () => {
  for (const [title, evidence, seconds] of [
    ['is unknown without further evidence', {}, undefined],
    ['is where the next begins', { next: 12.04 }, 12.04],
    ['is where the encoder says', { said: 1.96 }, 11.96],
    [
      'is where the next begins, if the encoder says nearly the same',
      { next: 12.02, said: 2 },
      12.02,
    ],
    ['is where the encoder says, if the next begins elsewhere', { next: 12.2, said: 2 }, 12],
    [
      'is not where the encoder says, if pictures may be in the next that its keyframe leads',
      { said: 2.07, reordered: true },
      undefined,
    ],
    [
      'of reordered pictures is where the next begins, if the encoder says nearly the same',
      { said: 2.07, next: 12, reordered: true },
      12,
    ],
    [
      'of reordered pictures is where the encoder says, if their rate does not tell',
      { said: 2.07, guess: true, reordered: true },
      12.07,
    ],
    ['is not where the next begins, if the clock stepped', { next: 12.4 }, undefined],
    ['is not what the encoder says, if frames show something else', { said: 4 }, undefined],
    ['of one frame is where the encoder says', { ends: 10.04, guess: true, said: 1 }, 11],
    [
      'of one frame is where the next begins, up to ten seconds',
      { ends: 10.04, guess: true, next: 15 },
      15,
    ],
    [
      'of one frame is not where a clock has stepped to',
      { ends: 10.04, guess: true, next: 110 },
      undefined,
    ],
    ['is never before the start', { ends: 10.04, guess: true, next: 9.9 }, undefined],
  ] as const) {
    test(title, () => assert.equal(end(evidence), seconds));
  }
});
