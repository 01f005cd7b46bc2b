import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Marker } from '../../lib/domain/markers/marker.ts';
import { isPresented, isRetentionDue, type Kept } from '../../lib/domain/retention/kept.ts';
import {
  DAY_MS,
  isInRanges,
  keepRules,
  mergeRanges,
  planExpiry,
  protectedTicks,
  type RetentionSettings,
} from '../../lib/domain/retention/retention.ts';
import {
  EMPTY_TIMELINE,
  type TimelineEntry,
  type TimelineState,
} from '../../lib/domain/timeline.ts';

const SECOND_TICKS = 90_000;

/** Four seconds each; on air at 4 s × its sequence since 1970. */
const entry = (sequence: number, run: number, number: number): TimelineEntry => ({
  ...{ sequence, run, number },
  startTicks: number * 4 * SECOND_TICKS,
  durationTicks: 4 * SECOND_TICKS,
  offsetTicks: sequence * 4 * SECOND_TICKS,
  programDateTimeMs: sequence * 4000,
  ...{ discontinuity: false, discontinuities: 0, renditions: {} },
});

/** `1:7` is segment 7 of run 1; one after the other, but for `-`, which is removed already. */
function timeline(text: string): readonly TimelineEntry[] {
  return text.split(' ').flatMap((place, sequence) => {
    const [run, number] = place.split(':').map(Number);
    return place === '-' ? [] : [entry(sequence, run ?? 0, number ?? 0)];
  });
}

function plan(
  text: string,
  expiredSeconds: number,
  { kept = [] as readonly (readonly [number, number])[], protectedFrom = 1000 } = {},
) {
  const ranges = kept.map(([from, to]) => ({ fromMs: from * 1000, toMs: to * 1000 }));
  const bounds = {
    ...{ startPlace: { run: 0, number: 0 }, endPlace: { run: 9, number: 9 } },
    protectedTicks: protectedFrom * SECOND_TICKS,
  };
  const made = planExpiry(timeline(text), { expiredMs: expiredSeconds * 1000, ranges }, bounds);
  const place = (at: { run: number; number: number }) => `${at.run}:${at.number}`;
  return {
    removed: made.ranges.map(
      ({ from, to, fromPlace, toPlace }) =>
        `${from}-${to} ${place(fromPlace)} to ${place(toPlace)}`,
    ),
    kept: made.keptEntries.map(({ sequence }) => sequence),
    first: made.firstKept?.sequence,
    floor: made.floor?.sequence,
  };
}

describe('what of a timeline expires', () => {
  test('is what ended at the instant or before it, with all segments from the first on', () => {
    assert.deepEqual(plan('1:3 1:4 1:6 1:7', 8), {
      ...{ removed: ['0-2 0:0 to 1:6'], kept: [], first: 2, floor: 2 },
    });
    assert.deepEqual(plan('1:3 1:4', 7.999), {
      ...{ removed: ['0-1 0:0 to 1:4'], kept: [], first: 1, floor: 1 },
    });
    assert.deepEqual(plan('1:3', 3), { removed: [], kept: [], first: 0, floor: 0 });
  });

  test('is all of it, up to the place where the timeline ends', () => {
    assert.deepEqual(plan('1:3 1:4 2:0', 1000), {
      ...{ removed: ['0-3 0:0 to 9:9'], kept: [], first: undefined, floor: undefined },
    });
  });

  test('is not what is marked, and of a segment that was cut all pieces stay with one', () => {
    assert.deepEqual(plan('1:3 1:4 1:4 1:4 1:5 1:6', 24, { kept: [[9, 10]] }), {
      ...{ removed: ['0-1 0:0 to 1:4', '4-6 1:5 to 9:9'], kept: [1, 2, 3] },
      ...{ first: 1, floor: undefined },
    });
  });

  test('leaves the places alone that another removal has', () => {
    assert.deepEqual(plan('- - 1:5 - 1:9 2:0', 24).removed, ['2-3 0:0 to 1:6', '4-6 1:9 to 9:9']);
  });

  test('is nothing that a live playlist may not lose', () => {
    assert.deepEqual(plan('1:0 1:1 1:2 1:3', 1000, { protectedFrom: 8 }).removed, [
      '0-2 0:0 to 1:2',
    ]);
    const live: TimelineState = {
      ...EMPTY_TIMELINE,
      ...{ nextSequence: 100, endOffsetTicks: 400 * SECOND_TICKS, targetDurationSeconds: 4 },
    };
    const seconds = (state: TimelineState) => protectedTicks(state, 10_000) / SECOND_TICKS;
    assert.equal(seconds(live), 388, 'three target durations (RFC 8216bis, 6.2.2)');
    assert.equal(seconds({ ...live, isEvent: true }), Number.NEGATIVE_INFINITY);
    const ended = { ...live, isEvent: true, endedAtMs: 9000, endShownAtMs: 10_000 };
    assert.equal(seconds(ended), Number.POSITIVE_INFINITY);
    assert.equal(seconds({ ...ended, endShownAtMs: 10_001 }), Number.NEGATIVE_INFINITY);
  });

  test('each entry is removed, kept around a marker, or not expired, and nothing else', () => {
    const spans = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 160 }), fc.integer({ min: 1, max: 20 })),
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 30 }),
        spans,
        fc.integer({ min: 0, max: 200 }),
        (pieces, marked, expiredSeconds) => {
          const entries = pieces
            .flatMap((count, number) => Array.from({ length: count }, () => number))
            .map((number, sequence) => entry(sequence, 1, number));
          const ranges = mergeRanges(
            marked.map(([from, length]) => ({ fromMs: from * 1000, toMs: (from + length) * 1000 })),
          );
          const rules = { expiredMs: expiredSeconds * 1000, ranges };
          const place = { run: 0, number: 0 };
          const bounds = { startPlace: place, endPlace: place, protectedTicks: 1e12 };
          const made = planExpiry(entries, rules, bounds);
          const floor = made.floor?.sequence ?? entries.length;
          for (const { sequence, number, programDateTimeMs: fromMs } of entries) {
            const isRemoved = made.ranges.some(({ from, to }) => sequence >= from && sequence < to);
            const isMarked = made.keptEntries.some((one) => one.sequence === sequence);
            assert.equal(Number(isRemoved) + Number(isMarked) + Number(sequence >= floor), 1);
            const overlaps = marked.some(
              ([from, length]) => fromMs < (from + length) * 1000 && fromMs + 4000 > from * 1000,
            );
            assert.ok(!(isRemoved && overlaps), `${sequence} is marked`);
            if (isRemoved)
              assert.ok(fromMs + 4000 <= rules.expiredMs, `${sequence} has not expired`);
            const others = entries.filter((one) => one.number === number);
            assert.ok(
              others.every(
                (one) =>
                  isRemoved ===
                  made.ranges.some(({ from, to }) => one.sequence >= from && one.sequence < to),
              ),
              'the pieces of a segment are one',
            );
          }
        },
      ),
    );
  });
});

describe('what markers keep', () => {
  const now = 100 * DAY_MS;
  const marker = (id: string, startMs: number, more: Partial<Marker> = {}): Marker => ({
    ...{ id, class: 'goal', startMs, endMs: startMs },
    ...more,
  });
  const rangesOf = (retention: RetentionSettings, ...markers: readonly Marker[]) =>
    keepRules(retention, markers, now).ranges.map(({ fromMs, toMs }) => [fromMs, toMs]);

  test('is a span around each of the class, for as long as its rule says', () => {
    const marked = [
      { class: 'goal', days: 30, beforeSeconds: 10, afterSeconds: 5 },
      { class: 'foul', days: null, beforeSeconds: 0, afterSeconds: 1 },
    ];
    const at = 80 * DAY_MS;
    assert.deepEqual(rangesOf({ days: 7, marked }, marker('a', at)), [[at - 10_000, at + 5001]]);
    assert.deepEqual(rangesOf({ days: 7, marked }, marker('a', 70 * DAY_MS)), []);
    assert.deepEqual(rangesOf({ days: 7, marked }, marker('a', at, { class: 'person' })), []);
    assert.deepEqual(
      rangesOf({ days: 7, marked }, marker('a', 0, { class: 'foul', endMs: 9000 })),
      [[0, 10_001]],
    );
  });

  test('is an instant of one whose end is not known, and one span where several overlap', () => {
    const marked = [{ days: null, beforeSeconds: 1, afterSeconds: 1 }];
    const open = marker('a', 50_000, { endMs: undefined });
    assert.deepEqual(rangesOf({ days: 7, marked }, open, marker('b', 51_500)), [[49_000, 52_501]]);
    assert.deepEqual(rangesOf({ days: 7 }, open), []);
    const clips = [{ fromMs: 52_000, toMs: 60_000 }];
    const all = { days: 7, marked, clipped: null };
    assert.deepEqual(keepRules(all, [open, marker('b', 51_500)], now, clips).ranges, [
      { fromMs: 49_000, toMs: 60_000 },
    ]);
  });

  test('clips of the owner are kept for so many days, and no longer than the rest without a rule', () => {
    const at = (daysAgo: number) => ({
      fromMs: now - daysAgo * DAY_MS - 1000,
      toMs: now - daysAgo * DAY_MS,
    });
    const rangesWith = (clipped: object) =>
      keepRules({ days: 7, ...clipped }, [], now, [at(31), at(29)]).ranges;
    assert.deepEqual(rangesWith({ clipped: null }), [at(31), at(29)]);
    assert.deepEqual(rangesWith({ clipped: 30 }), [at(29)]);
    assert.deepEqual(rangesWith({}), []);
  });

  test('a span is in ranges when any part of it is', () => {
    const ranges = [
      { fromMs: 10, toMs: 20 },
      { fromMs: 30, toMs: 40 },
    ];
    const is = (fromMs: number, toMs: number) => isInRanges(ranges, { fromMs, toMs });
    assert.deepEqual(
      [is(0, 10), is(0, 11), is(19, 25), is(20, 30), is(25, 50), is(40, 99)],
      [...[false, true, true, false, true, false]],
    );
  });
});

describe('what retention has left', () => {
  const removal = (version: number, atMs: number, untilMs = 0) => ({
    ...{ id: String(version), version, atMs, untilMs, floorSequence: version },
  });
  const kept: Kept = {
    ...{
      version: 3,
      floorSequence: 3,
      floorTicks: 0,
      floorMs: 0,
      entriesBelow: 0,
      goneSequence: 1,
    },
    floorPlace: { run: 1, number: 3 },
    first: { sequence: 3, offsetTicks: 0, programDateTimeMs: 0 },
    removals: [removal(2, 0), removal(3, DAY_MS)],
  };

  test('is presented as it was for half a day', () => {
    const presented = (nowMs: number) =>
      [0, 1, 2, 3, 4].filter((one) => isPresented(kept, one, nowMs));
    assert.deepEqual(presented(DAY_MS), [2, 3], '1 was changed a day ago');
    assert.deepEqual(presented(DAY_MS / 4), [1, 2, 3], 'the clock was set back');
    assert.deepEqual(presented(1.5 * DAY_MS), [3]);
    assert.ok(isPresented(undefined, 0, 0));
    assert.ok(![0.5, Number.NaN, -1, 1].some((one) => isPresented(undefined, one, 0)));
  });

  test('has work for a job when a day of it has expired, or objects may go', () => {
    const state: TimelineState = {
      ...EMPTY_TIMELINE,
      ...{ nextSequence: 1000, endOffsetTicks: 4000 * SECOND_TICKS, targetDurationSeconds: 4 },
      ...{ startedAtMs: 0, dvrWindowTicks: 1 },
    };
    const due = (
      days: number,
      changes: Partial<TimelineState> = {},
      retention: RetentionSettings | null = { days: 7 },
    ) => isRetentionDue(retention, { ...state, ...changes }, days * DAY_MS);
    assert.deepEqual([due(7.99), due(8), due(8, {}, null)], [false, true, false]);
    assert.equal(due(8, { isEvent: true }), false, 'an EVENT playlist loses nothing');
    assert.equal(due(8, { endOffsetTicks: 12 * SECOND_TICKS }), false, 'its last segments stay');
    const waiting = {
      kept: { ...kept, floorMs: 30 * DAY_MS, removals: [removal(3, 20 * DAY_MS, DAY_MS)] },
    };
    assert.deepEqual([due(20.9, waiting), due(21, waiting)], [false, true]);
    assert.equal(due(20.5, waiting, { days: 30 }), true, 'what waits is to be kept');
    assert.equal(due(20.5, waiting, null), true);
    const below = {
      kept: {
        ...kept,
        removals: [],
        floorSequence: 1000,
        first: { ...kept.first, sequence: 1, offsetTicks: 0, programDateTimeMs: 0 },
      },
    };
    const marked = (days: number | null) => ({
      days: 7,
      marked: [{ days, beforeSeconds: 0, afterSeconds: 0 }],
    });
    assert.deepEqual(
      [due(30, below, marked(30)), due(31, below, marked(30)), due(99, below, marked(null))],
      [...[false, true, false]],
    );
    const clipped = { ...marked(10), clipped: 30 };
    assert.deepEqual([due(30, below, clipped), due(31, below, clipped)], [false, true]);
    assert.equal(due(99, below, { days: 7, clipped: null }), false);
  });
});
