import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { planPublication, type RunProgress } from '../../lib/domain/publication.ts';
import type { SegmentOutcome } from '../../lib/domain/segment.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { EMPTY_TIMELINE, type TimelineEntry } from '../../lib/domain/timeline.ts';

const SEGMENT_TICKS = 4 * TICKS_PER_SECOND;
const RULES = { holeGraceMs: 8000, targetDurationSeconds: 6 };
const START_MS = Date.parse('2026-01-01T00:00:00Z');

const rendered = (
  number: number,
  options: { run?: number; startTicks?: number; completedAtMs?: number; initKey?: string } = {},
): SegmentOutcome => ({
  type: 'rendered',
  run: options.run ?? 1,
  number,
  startTicks: options.startTicks ?? 900_000 + number * SEGMENT_TICKS,
  durationTicks: SEGMENT_TICKS,
  renditions: {
    '720p': { key: `k${number}`, initKey: options.initKey ?? 'init', sizeBytes: 1000 + number },
  },
  catalogue: {
    '720p': {
      kind: 'video',
      codecString: 'avc1.64001f',
      widthPx: 1280,
      heightPx: 720,
      framesPerSecond: 30,
    },
  },
  uploadedAtMs: START_MS,
  completedAtMs: options.completedAtMs ?? START_MS,
});

const failed = (number: number): SegmentOutcome => ({
  type: 'failed',
  run: 1,
  number,
  reason: 'undecodable',
  completedAtMs: START_MS,
});

const progress = (
  outcomes: SegmentOutcome[],
  known: number[],
  more: Partial<RunProgress> = {},
): RunProgress => ({
  run: 1,
  firstNumber: known[0] ?? 0,
  createdAtMs: START_MS,
  anchorTicks: 900_000,
  anchorMs: START_MS,
  outcomes,
  known,
  isOver: false,
  ...more,
});

const plan = (
  outcomes: SegmentOutcome[],
  known: number[],
  nowMs = START_MS,
  state = EMPTY_TIMELINE,
  more: Partial<RunProgress> = {},
) => planPublication(state, progress(outcomes, known, more), RULES, nowMs);

const shown = (entries: readonly TimelineEntry[]): string[] =>
  entries.map(
    (entry) =>
      `${entry.discontinuity ? '/' : ''}${Object.keys(entry.renditions).length ? '' : 'gap '}${entry.number}`,
  );

describe('the plan of a publication', () => {
  test('appends the longest sequence of ready segments and waits for those on their way', () => {
    const { entries, state, wakeAtMs } = plan([rendered(0), rendered(1)], [0, 1, 2]);
    assert.deepEqual(shown(entries), ['0', '1']);
    assert.equal(state.nextNumber, 2);
    assert.equal(state.endOffsetTicks, 2 * SEGMENT_TICKS);
    assert.equal(wakeAtMs, undefined);
    assert.deepEqual(
      entries.map((entry) => [entry.sequence, entry.offsetTicks, entry.programDateTimeMs]),
      [
        [0, 0, START_MS],
        [1, SEGMENT_TICKS, START_MS + 4000],
      ],
    );
    const { peakBps, sizeBytes } = state.renditions['720p'] ?? assert.fail();
    assert.deepEqual({ peakBps, sizeBytes }, { peakBps: 2002, sizeBytes: 2001 });
  });

  test('waits for a missing segment until its grace ends, then makes it a gap for good', () => {
    const outcomes = [rendered(0), rendered(3, { completedAtMs: START_MS + 1000 })];
    const waiting = plan(outcomes, [0, 3], START_MS + 8999);
    assert.deepEqual(shown(waiting.entries), ['0']);
    assert.equal(waiting.wakeAtMs, START_MS + 9000);
    const over = plan(outcomes, [0, 3], START_MS + 9000);
    assert.deepEqual(shown(over.entries), ['0', 'gap 1', 'gap 2', '3']);
    assert.deepEqual(
      over.entries.map((entry) => entry.durationTicks),
      Array(4).fill(SEGMENT_TICKS),
    );
    assert.equal(over.state.discontinuities, 0);
  });

  test('waits no longer than two graces when the clock is set back meanwhile, by whatever time', () => {
    const late = START_MS + 3_600_000;
    const behind = [rendered(0), rendered(2, { completedAtMs: late })];
    const slightly = plan(behind, [0, 2], late - 8000);
    assert.deepEqual([shown(slightly.entries), slightly.wakeAtMs], [['0'], late + 8000]);
    assert.deepEqual(shown(plan(behind, [0, 2], late - 8001).entries), ['0', 'gap 1', '2']);
    const first = plan([rendered(3)], [3], START_MS, EMPTY_TIMELINE, { createdAtMs: late });
    assert.deepEqual(shown(first.entries), ['3']);
  });

  test('does not wait for a segment that failed, nor give up one that a worker still has', () => {
    assert.deepEqual(shown(plan([rendered(0), failed(1), rendered(2)], [0, 1, 2]).entries), [
      '0',
      'gap 1',
      '2',
    ]);
    const atWork = plan([rendered(0), rendered(2)], [0, 1, 2], START_MS + 60_000);
    assert.deepEqual(shown(atWork.entries), ['0']);
    assert.deepEqual(shown(plan([rendered(0), failed(1)], [0, 1]).entries), ['0']);
  });

  test('makes no gap where the encoder skipped numbers but no media is missing', () => {
    const outcomes = [rendered(10), rendered(20, { startTicks: 900_000 + 11 * SEGMENT_TICKS })];
    const { entries } = plan(outcomes, [10, 20], START_MS + 8000);
    assert.deepEqual(shown(entries), ['10', '20']);
  });

  test('begins with number 0 at once, with another when none lower came within the grace', () => {
    assert.deepEqual(shown(plan([rendered(0)], [0]).entries), ['0']);
    const early = plan([rendered(3)], [3]);
    assert.deepEqual(shown(early.entries), []);
    assert.equal(early.wakeAtMs, START_MS + 6000, 'a target duration at most');
    assert.deepEqual(shown(plan([rendered(3)], [3], START_MS + 6000).entries), ['3']);
    const announced = plan([rendered(3)], [3], START_MS, EMPTY_TIMELINE, { startHint: 3 });
    assert.deepEqual(shown(announced.entries), ['3']);
    const lower = plan([rendered(3)], [1, 3], START_MS, EMPTY_TIMELINE, { startHint: 3 });
    assert.deepEqual(shown(lower.entries), ['3'].slice(1));
  });

  test('starts a new run behind a discontinuity, with a wall clock that never goes back', () => {
    const first = plan([rendered(0), rendered(1)], [0, 1], START_MS, EMPTY_TIMELINE, {
      isOver: true,
    });
    assert.equal(first.runIsDone, true);
    assert.deepEqual([first.state.run, first.state.nextNumber], [2, undefined]);
    const second = plan([rendered(0, { run: 2 })], [0], START_MS, first.state, {
      run: 2,
      // Made from a file, faster than real time: it began before the wall clock that was promised.
      anchorMs: START_MS + 1000,
    });
    assert.deepEqual(shown(second.entries), ['/0']);
    assert.equal(second.entries[0]?.programDateTimeMs, START_MS + 8000);
    assert.equal(second.entries[0]?.discontinuities, 1);
  });

  test('does not leave a run before all that was acknowledged is completed', () => {
    const open = plan([rendered(0)], [0, 1], START_MS, EMPTY_TIMELINE, { isOver: true });
    assert.equal(open.runIsDone, false);
    const completed = plan([rendered(0), failed(1)], [0, 1], START_MS, EMPTY_TIMELINE, {
      isOver: true,
    });
    assert.equal(completed.runIsDone, true);
    assert.deepEqual(shown(completed.entries), ['0']);
  });

  test('reopens an ended stream with its next entry', () => {
    const ended = { ...plan([rendered(0)], [0]).state, endedAtMs: START_MS };
    assert.equal(plan([], [0], START_MS, ended).state.endedAtMs, START_MS);
    const { state } = plan([rendered(1)], [0, 1], START_MS, ended);
    assert.deepEqual([state.nextSequence, state.endedAtMs], [2, undefined]);
  });

  test('marks a jump of the clock and a new init segment as discontinuities', () => {
    const back = rendered(1, { startTicks: 900_000 });
    assert.deepEqual(shown(plan([rendered(0), back], [0, 1]).entries), ['0', '/1']);
    const other = rendered(1, { initKey: 'other' });
    assert.deepEqual(shown(plan([rendered(0), other], [0, 1]).entries), ['0', '/1']);
  });

  for (const [title, missingSeconds, seconds] of [
    ['that lasted the target duration, rounded, is a gap of its length', 4.4, [4.4]],
    ['that was longer than the target duration is a gap in several pieces', 6, [3, 3]],
    ['is no gap where the clock has stepped', 8.1, undefined],
  ] as const) {
    test(`one missing segment ${title}`, () => {
      const startTicks = 900_000 + SEGMENT_TICKS + missingSeconds * TICKS_PER_SECOND;
      const outcomes = [rendered(0), rendered(2, { startTicks })];
      const rules = { ...RULES, targetDurationSeconds: 4 };
      const state = EMPTY_TIMELINE;
      const { entries } = planPublication(
        state,
        progress(outcomes, [0, 2]),
        rules,
        START_MS + 8000,
      );
      const between = entries.slice(1, -1);
      assert.deepEqual(shown(between), Array(seconds?.length ?? 0).fill('gap 1'));
      assert.deepEqual(
        between.map(({ durationTicks }) => durationTicks / TICKS_PER_SECOND),
        seconds ?? [],
      );
      assert.equal(entries.at(-1)?.discontinuity, seconds === undefined);
    });
  }

  test('begins a run behind a discontinuity, without a gap, also if its first segments failed and it had to wait', () => {
    const before = plan([rendered(0), rendered(1)], [0, 1], START_MS, EMPTY_TIMELINE, {
      isOver: true,
    });
    const outcomes = [{ ...failed(0), run: 2 }, rendered(4, { run: 2 })];
    const waiting = plan(outcomes, [0, 4], START_MS, before.state, { run: 2 });
    assert.deepEqual([shown(waiting.entries), waiting.wakeAtMs], [[], START_MS + 8000]);
    const { entries } = plan(outcomes, [0, 4], START_MS + 8000, waiting.state, { run: 2 });
    assert.deepEqual(shown(entries), ['/4']);
  });

  test('does not make more gaps than one write holds', () => {
    const outcomes = [rendered(0), rendered(500)];
    const { entries } = plan(outcomes, [0, 500], START_MS + 8000);
    assert.deepEqual(shown(entries), ['0', '/500']);
    const many = Array.from({ length: 100 }, (_, number) => rendered(number));
    const numbers = many.map((outcome) => outcome.number);
    const once = plan(many, numbers);
    assert.ok(once.entries.length <= 90 && once.entries.length >= 50);
    const rest = plan(many.slice(once.entries.length), numbers, START_MS, once.state);
    assert.equal(once.entries.length + rest.entries.length, 100);
    assert.deepEqual([once.isFull, rest.isFull], [true, false]);
  });
});

/** What can happen to the segments of a run, in any order. */
const history = fc.record({
  count: fc.integer({ min: 1, max: 12 }),
  order: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 40 }),
  fates: fc.array(fc.constantFrom('rendered', 'failed', 'lost'), { minLength: 12, maxLength: 12 }),
  waitsMs: fc.array(fc.nat({ max: 12_000 }), { minLength: 40, maxLength: 40 }),
  runs: fc.integer({ min: 1, max: 3 }),
});

test('timeline: whatever comes in whatever order, it only grows, in order and gap-free', () => {
  fc.assert(
    fc.property(history, ({ count, order, fates, waitsMs, runs }) => {
      let state = EMPTY_TIMELINE;
      let nowMs = START_MS;
      const timeline: TimelineEntry[] = [];
      for (let run = 1; run <= runs; run += 1) {
        const outcomes = new Map<number, SegmentOutcome>();
        const known = new Set<number>();
        const publish = (isOver: boolean): boolean => {
          for (let turn = 0; turn < 20; turn += 1) {
            const from = state.run === run ? (state.nextNumber ?? 0) : 0;
            const result = planPublication(
              state,
              {
                run,
                firstNumber: [...known][0] ?? 0,
                createdAtMs: START_MS,
                anchorTicks: 900_000,
                anchorMs: nowMs,
                known: [...known].filter((number) => number >= from).sort((a, b) => a - b),
                outcomes: [...outcomes.values()]
                  .filter((outcome) => outcome.number >= from)
                  .sort((a, b) => a.number - b.number),
                isOver,
              },
              RULES,
              nowMs,
            );
            timeline.push(...result.entries);
            state = result.state;
            if (result.runIsDone) return true;
            if (result.entries.length === 0) return false;
          }
          return assert.fail('the publisher does not come to rest');
        };
        for (const [step, pick] of order.entries()) {
          const number = pick % count;
          const fate = fates[number];
          nowMs += waitsMs[step] ?? 0;
          if (fate !== 'lost') {
            known.add(number);
            const at = { run, completedAtMs: nowMs };
            const made = fate === 'failed' ? failed(number) : rendered(number, at);
            if (!outcomes.has(number)) outcomes.set(number, { ...made, run });
          }
          publish(false);
        }
        nowMs += 60_000;
        if (known.size > 0) assert.ok(publish(true), 'a run that is over can be left');
      }
      for (const [index, entry] of timeline.entries()) {
        const before = timeline[index - 1];
        assert.equal(entry.sequence, index);
        assert.ok(entry.durationTicks > 0);
        assert.ok(entry.durationTicks <= RULES.targetDurationSeconds * TICKS_PER_SECOND);
        if (!before) continue;
        assert.equal(entry.offsetTicks, before.offsetTicks + before.durationTicks);
        const endMs = before.programDateTimeMs + before.durationTicks / 90;
        assert.ok(entry.programDateTimeMs >= endMs - 1, 'the wall clock never goes back');
        assert.equal(entry.discontinuities, before.discontinuities + (entry.discontinuity ? 1 : 0));
        if (entry.run === before.run) assert.ok(entry.number > before.number);
        else assert.ok(entry.run > before.run && entry.discontinuity);
        if (!entry.discontinuity) {
          assert.equal(entry.startTicks, before.startTicks + before.durationTicks);
        }
      }
    }),
    { numRuns: 500 },
  );
});
