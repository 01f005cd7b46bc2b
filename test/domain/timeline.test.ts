import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  discontinuitySequence,
  EMPTY_TIMELINE,
  isListedLive,
  isSliding,
  type TimelineEntry,
  type TimelineState,
  windowStartTicks,
  withDvrWindow,
} from '../../lib/domain/timeline.ts';

const SEGMENT_TICKS = 360_000;

const entryAt = (sequence: number, changes: Partial<TimelineEntry> = {}): TimelineEntry => ({
  sequence,
  run: 1,
  number: sequence,
  startTicks: sequence * SEGMENT_TICKS,
  durationTicks: SEGMENT_TICKS,
  offsetTicks: sequence * SEGMENT_TICKS,
  programDateTimeMs: sequence * 4000,
  discontinuity: false,
  discontinuities: 0,
  renditions: {},
  ...changes,
});

/** A timeline of so many segments of four seconds. */
const lasting = (segments: number, state: TimelineState = EMPTY_TIMELINE): TimelineState => ({
  ...state,
  nextSequence: segments,
  endOffsetTicks: segments * SEGMENT_TICKS,
});

const SECONDS = 90_000;

/** What a live playlist lists first. */
const firstListed = (state: TimelineState): number | undefined =>
  Array.from({ length: state.nextSequence }, (_, sequence) => entryAt(sequence)).find((entry) =>
    isListedLive(entry, state),
  )?.sequence;

describe('DVR window', () => {
  for (const [title, windowTicks, segments, first] of [
    ['lists everything while the stream is shorter', 12 * SECONDS, 2, 0],
    ['lists everything at its very length', 12 * SECONDS, 3, 0],
    ['leaves out an entry that ends where the window starts', 12 * SECONDS, 10, 7],
    ['lists an entry of which one tick lies in the window', 12 * SECONDS + 1, 10, 6],
    ['lists an entry that begins where the window starts', 12 * SECONDS - 1, 10, 7],
    ['without a limit lists everything', null, 100, 0],
  ] as const) {
    test(`a live playlist ${title}`, () => {
      const state = lasting(segments, withDvrWindow(EMPTY_TIMELINE, windowTicks, 0));
      assert.equal(firstListed(state), first);
    });
  }

  test('starts at zero while the stream is shorter, then follows its end', () => {
    const sliding = withDvrWindow(EMPTY_TIMELINE, 12 * SECONDS, 0);
    assert.deepEqual(
      [0, 3, 10].map((segments) => windowStartTicks(lasting(segments, sliding))),
      [0, 0, 7 * SEGMENT_TICKS],
    );
    assert.equal(windowStartTicks(lasting(10, withDvrWindow(EMPTY_TIMELINE, null, 0))), 0);
  });

  test('a timeline without a window yet lists everything', () => {
    assert.equal(firstListed(lasting(10)), 0);
    assert.equal(isSliding(lasting(10)), false);
  });
});

/** Settings of the window one after the other, each with the segments that there are then. */
function changes(...steps: readonly (readonly [windowSeconds: number | null, segments: number])[]) {
  let state = EMPTY_TIMELINE;
  return steps.map(([seconds, segments]) => {
    const windowTicks = seconds === null ? null : seconds * SECONDS;
    // The publisher changes the window of what it has listed, then goes on.
    state = withDvrWindow(state, windowTicks, firstListed(state) ?? 0);
    state = lasting(segments, state);
    return { first: firstListed(state), floor: state.firstListedSequence, event: state.isEvent };
  });
}

describe('a change of the DVR window', () => {
  for (const [title, steps, firsts, event] of [
    [
      'to a wider one brings nothing back (30 s, 120 s, no limit)',
      [
        [30, 100],
        [120, 100],
        [null, 100],
        [null, 200],
      ],
      [92, 92, 92, 92],
      false,
    ],
    [
      'to a wider one fills up from where the narrower one began',
      [
        [30, 100],
        [120, 110],
        [120, 122],
        [120, 123],
      ],
      [92, 92, 92, 93],
      false,
    ],
    [
      'to a narrower one lets entries go at once',
      [
        [120, 100],
        [30, 100],
        [120, 100],
      ],
      [70, 92, 92],
      false,
    ],
    [
      'never takes anything from an EVENT playlist',
      [
        [null, 100],
        [30, 100],
        [30, 200],
        [null, 200],
      ],
      [0, 0, 0, 0],
      true,
    ],
  ] as const) {
    test(title, () => {
      const seen = changes(...steps);
      assert.deepEqual(
        seen.map(({ first }) => first),
        firsts,
      );
      assert.deepEqual(
        seen.map((one) => one.event),
        steps.map(() => event),
      );
    });
  }

  test('never lowers the floor, whatever it is given', () => {
    const state = withDvrWindow(
      { ...EMPTY_TIMELINE, dvrWindowTicks: 1, firstListedSequence: 9 },
      2,
      4,
    );
    assert.equal(state.firstListedSequence, 9);
  });
});

describe('discontinuity sequence', () => {
  for (const [title, first, expected] of [
    ['of an empty playlist is 0', undefined, 0],
    ['counts the discontinuities that have left the playlist', { discontinuities: 3 }, 3],
    [
      'does not count a tag that stands right before the first entry: it is itself listed',
      { discontinuities: 3, discontinuity: true },
      2,
    ],
    ['is 0 at the start of the stream', { discontinuities: 0 }, 0],
  ] as const) {
    test(title, () => {
      assert.equal(discontinuitySequence(first && entryAt(7, first)), expected);
    });
  }
});
