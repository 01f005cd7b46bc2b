import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EMPTY_TIMELINE, type TimelineEntry, withDvrWindow } from '../../lib/domain/timeline.ts';
import {
  findByInstant,
  findByOffset,
  findFirstListed,
  findListed,
} from '../../lib/pipeline/records/timeline-search.ts';

const STREAM = { videoId: 'show', uid: 'u1' };
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const SEGMENT_TICKS = 360_000;
const PIECE = { key: 'k', initKey: 'i', sizeBytes: 1 };

/** Four seconds each; the wall clock of a run begins so many seconds after that of the stream. */
const entry = (
  sequence: number,
  run: number,
  runStartSeconds: number,
  number: number,
  isGap = false,
): TimelineEntry => ({
  sequence,
  run,
  number,
  startTicks: number * SEGMENT_TICKS,
  durationTicks: SEGMENT_TICKS,
  offsetTicks: sequence * SEGMENT_TICKS,
  programDateTimeMs: START_MS + 1000 * (runStartSeconds + 4 * number),
  discontinuity: sequence > 0 && number === 0,
  discontinuities: run - 1,
  renditions: isGap ? {} : { '720p': PIECE },
});

/** 0 to 12 s, of which the middle is a gap; a pause of the encoder; then 60 to 68 s. */
const TIMELINE = [
  entry(0, 1, 0, 0),
  entry(1, 1, 0, 1, true),
  entry(2, 1, 0, 2),
  entry(3, 2, 60, 0),
  entry(4, 2, 60, 1),
];

const reader = (timeline: readonly TimelineEntry[]) => {
  const reads: number[] = [];
  const records = {
    entries: async (_stream: unknown, from: number, to: number) => timeline.slice(from, to + 1),
    entry: async (_stream: unknown, sequence: number) => {
      reads.push(sequence);
      return timeline[sequence];
    },
  };
  return { reads, records };
};

describe('the entry at an instant', () => {
  for (const [title, seconds, sequence] of [
    ['one millisecond before the stream is none', -0.001, undefined],
    ['at the start of the stream is the first', 0, 0],
    ['one millisecond before an entry ends is that entry', 3.999, 0],
    ['at the end of an entry is the next', 4, 1],
    ['in a gap is the gap', 6, 1],
    ['at the end of a gap is the entry behind it', 8, 2],
    ['when the encoder had just stopped is none', 12, undefined],
    ['while the encoder paused is none', 30, undefined],
    ['at the restart of the encoder is the first of the new run', 60, 3],
    ['one millisecond before the end of the stream is the last', 67.999, 4],
    ['at the end of the stream is none', 68, undefined],
    ['long after the end of the stream is none', 1e6, undefined],
  ] as const) {
    test(title, async () => {
      const { records } = reader(TIMELINE);
      const found = await findByInstant(records, STREAM, 5, START_MS + seconds * 1000);
      assert.equal(found?.sequence, sequence);
    });
  }

  test('of an empty timeline is none', async () => {
    assert.equal(await findByInstant(reader([]).records, STREAM, 0, START_MS), undefined);
  });
});

describe('the entry at an offset from the start', () => {
  for (const [title, ticks, sequence] of [
    ['of zero is the first', 0, 0],
    ['one tick before an entry ends is that entry', SEGMENT_TICKS - 1, 0],
    ['at the end of an entry is the next', SEGMENT_TICKS, 1],
    ['does not count the pause of the encoder', 3 * SEGMENT_TICKS, 3],
    ['one tick before the end of the stream is the last', 5 * SEGMENT_TICKS - 1, 4],
    ['at the end of the stream is none', 5 * SEGMENT_TICKS, undefined],
  ] as const) {
    test(title, async () => {
      const { records } = reader(TIMELINE);
      assert.equal((await findByOffset(records, STREAM, 5, ticks))?.sequence, sequence);
    });
  }
});

test('a search of a day of two-second segments reads 17 entries at most', async () => {
  const length = 43_200;
  const day = Array.from({ length }, (_, number) => entry(number, 1, 0, number));
  for (const sequence of [0, 1, 21_599, 21_600, length - 1]) {
    const { records, reads } = reader(day);
    const found = await findByInstant(records, STREAM, length, START_MS + sequence * 4000);
    assert.equal(found?.sequence, sequence);
    assert.ok(reads.length <= 17, `${reads.length} reads`);
  }
});

describe('the entry that shows a segment', () => {
  for (const [title, run, number, sequence] of [
    ['is found by run and number', 1, 2, 2],
    ['is none where there is a gap in its place', 1, 1, undefined],
    ['is none for the same number of another run', 2, 2, undefined],
    ['is none for a number that is not published yet', 2, 9, undefined],
  ] as const) {
    test(title, async () => {
      const found = await findListed(reader(TIMELINE).records, STREAM, 5, { run, number });
      assert.equal(found?.sequence, sequence);
    });
  }
});

describe('the first sequence that live playlists list', () => {
  for (const [title, windowTicks, floor, sequence] of [
    ['is 0 without a limit', null, 0, 0],
    ['is the first that reaches into the window', 3 * SEGMENT_TICKS - 1, 0, 2],
    ['is the floor where the window reaches further back', 3 * SEGMENT_TICKS, 4, 4],
  ] as const) {
    test(title, async () => {
      const state = {
        ...withDvrWindow(EMPTY_TIMELINE, windowTicks, floor),
        nextSequence: 5,
        endOffsetTicks: 5 * SEGMENT_TICKS,
      };
      assert.equal(await findFirstListed(reader(TIMELINE).records, STREAM, state), sequence);
    });
  }
});
