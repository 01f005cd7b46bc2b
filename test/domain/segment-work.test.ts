import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SegmentFacts } from '../../lib/domain/segment.ts';
import { transcodeTimeoutMs } from '../../lib/domain/segment-work.ts';

/** Only what the timeout is made of. */
const factsOf = (
  seconds: number,
  video?: Readonly<{ widthPx: number; heightPx: number; frames: number }>,
): SegmentFacts =>
  ({ startTicks: 900_000, endTicks: 900_000 + seconds * 90_000, video }) as unknown as SegmentFacts;

describe('the time that a worker gives a segment', () => {
  test('is a minute at least, and grows with the length of the sound', () => {
    assert.equal(transcodeTimeoutMs(factsOf(0)), 60_000);
    assert.equal(transcodeTimeoutMs(factsOf(2)), 70_000);
    assert.equal(transcodeTimeoutMs(factsOf(900)), 4_560_000);
  });

  test('grows with the pictures and their size', () => {
    const hd = { widthPx: 1280, heightPx: 720, frames: 60 };
    assert.equal(transcodeTimeoutMs(factsOf(2, hd)), 75_530);
    const uhd = { widthPx: 3840, heightPx: 2160, frames: 240 };
    assert.equal(transcodeTimeoutMs(factsOf(4, uhd)), 279_066);
  });
});
