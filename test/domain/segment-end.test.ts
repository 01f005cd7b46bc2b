import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EndEvidence, mayGoOnInNext, segmentEnd } from '../../lib/domain/segment-end.ts';
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
  open?: boolean;
}): number | undefined => {
  const { next, said, guess = false, open = false } = evidence;
  const given: EndEvidence = {
    startTicks: 10 * TICKS_PER_SECOND,
    endTicks: ends * TICKS_PER_SECOND,
    isGuess: guess,
    mayGoOn: open,
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
      { said: 2.07, open: true },
      undefined,
    ],
    [
      'of open GOPs is where the next begins, if the encoder says nearly the same',
      { said: 2.07, next: 12, open: true },
      12,
    ],
    [
      'of open GOPs is where the encoder says, if the rate of the pictures does not tell',
      { said: 2.07, guess: true, open: true },
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

describe('pictures that belong to the end of a segment', () => {
  const ordered = { startsClosed: true };
  const closed = { startsClosed: true, isReordered: true } as const;
  const open = { startsClosed: false, isReordered: true, isLed: true } as const;
  for (const [title, video, before, expected] of [
    ['are in it, if none is reordered', ordered, undefined, false],
    ['are in it, if there is no picture', undefined, closed, false],
    ['may be in the next, if it is the first of its run', closed, undefined, true],
    ['are in it, if both it and the one before begin closed', closed, closed, false],
    ['may be in the next, if its own keyframe is led', open, closed, true],
    ['may be in the next, if the keyframe before was led', closed, open, true],
    [
      'may be in the next, if a closed keyframe is led (H.265 RADL)',
      { ...closed, isLed: true },
      closed,
      true,
    ],
    [
      'may be in the next, if it begins with a keyframe of an open GOP that no picture leads',
      { startsClosed: false, isReordered: true },
      closed,
      true,
    ],
  ] as const) {
    test(title, () => assert.equal(mayGoOnInNext(video, before), expected));
  }
});
