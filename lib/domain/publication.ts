/**
 * What may be appended to the timeline now. Pure: the publisher asks it and writes what it answers.
 *
 * A live playlist only grows at its end and shrinks at its front (RFC 8216bis, 6.2.1). So a segment
 * is appended when all before it are completed; a missing one is waited for until a grace period
 * after a later segment is ready, then it becomes a gap for good.
 */

import type { RenderedOutcome, SegmentOutcome } from './segment.ts';
import { TICKS_PER_SECOND, ticksToMs } from './ticks.ts';
import type { TimelineEntry, TimelineState } from './timeline.ts';

/** What is known of the run that is being published, from `state.nextNumber` on. */
export type RunProgress = Readonly<{
  run: number;
  firstNumber: number;
  /** The encoder's own playlist said that the run begins with this number. */
  startHint?: number;
  createdAtMs: number;
  anchorTicks: number;
  anchorMs: number;
  /** Numbers of the acknowledged segments, in order. */
  known: readonly number[];
  /** Outcomes of those that a worker has completed, in order of their numbers. */
  outcomes: readonly SegmentOutcome[];
  /** A later run has begun. */
  isOver: boolean;
}>;

export type PublicationRules = Readonly<{ holeGraceMs: number; targetDurationSeconds: number }>;

export type Publication = Readonly<{
  entries: readonly TimelineEntry[];
  /** Of the entries that are no gaps, in their order. */
  shown: readonly RenderedOutcome[];
  /** After these entries. At the start of the next run, if this run is done. */
  state: TimelineState;
  /** The run has nothing more to publish and a later run has begun. */
  runIsDone: boolean;
  /** One write holds no more entries; more may be ready. */
  isFull: boolean;
  /** Ask again at this time: the grace of a missing segment ends then. */
  wakeAtMs: number | undefined;
}>;

/** A jump of the source's clock larger than this is a discontinuity for players. */
const MAX_TIME_JUMP_TICKS = TICKS_PER_SECOND / 2;

/** Encoders that skip numbers lose no media: less than a frame is missing. */
const NO_JUMP_TICKS = TICKS_PER_SECOND / 30;

/** A worker that died is noticed, and its job done by another, well within this time. */
const STUCK_SEGMENT_GRACE_MS = 120_000;

/** A write of the table takes a hundred items; the state is one of them. */
const MAX_ENTRIES = 80;

/** `state.run` must be `progress.run`, or 0 before the first run. An entry reopens an ended stream. */
export function planPublication(
  state: TimelineState,
  progress: RunProgress,
  rules: PublicationRules,
  nowMs: number,
): Publication {
  const draft = new TimelineDraft(state, progress);
  const known = new Set(progress.known);
  const goesOn = state.run === progress.run && state.nextNumber !== undefined;
  const start = goesOn ? { number: state.nextNumber } : runStart(progress, rules, nowMs);
  if (start.number === undefined) {
    const { wakeAtMs } = start;
    return { entries: [], shown: [], state, runIsDone: false, isFull: false, wakeAtMs };
  }
  let number: number = start.number;
  let isFull: boolean;
  let wakeAtMs: number | undefined;
  const outcomes = new Map(progress.outcomes.map((outcome) => [outcome.number, outcome]));
  const lastKnown = Math.max(progress.known.at(-1) ?? -1, progress.outcomes.at(-1)?.number ?? -1);
  for (;;) {
    isFull = draft.entries.length >= MAX_ENTRIES;
    if (isFull) break;
    const outcome = outcomes.get(number);
    if (outcome?.type === 'rendered') {
      draft.append(outcome);
      number += 1;
      continue;
    }
    const later = progress.outcomes.find((one) => one.type === 'rendered' && one.number > number);
    if (later?.type !== 'rendered') {
      // Nothing to show behind it: what failed or never came at a run's end is passed over.
      const pending = progress.known.some((one) => one >= number && !outcomes.has(one));
      if (progress.isOver && !pending) number = Math.max(number, lastKnown + 1);
      break;
    }
    const missing = numbersBetween(number, later.number);
    const blocking = missing.filter((one) => !outcomes.has(one));
    const isStuck = blocking.some((one) => known.has(one));
    if (isStuck || (blocking.length > 0 && !draft.continuesWith(later))) {
      const graceMs = isStuck ? STUCK_SEGMENT_GRACE_MS : rules.holeGraceMs;
      if (isWithin(later.completedAtMs, graceMs, nowMs)) {
        // A failed segment before the missing one needs no waiting, but a gap is made in one piece.
        wakeAtMs = later.completedAtMs + graceMs;
        break;
      }
    }
    isFull = !draft.appendGap(number, later, rules.targetDurationSeconds, MAX_ENTRIES);
    if (isFull) break;
    number = later.number;
  }
  const runIsDone = progress.isOver && number > lastKnown;
  const { nextNumber: _, ...left } = draft.state;
  const next = runIsDone ? { run: progress.run + 1 } : { run: progress.run, nextNumber: number };
  const { entries, shown } = draft;
  return { entries, shown, state: { ...left, ...next }, runIsDone, isFull, wakeAtMs };
}

const numbersBetween = (from: number, to: number): number[] =>
  // A run that counts by the clock can leave thousands of numbers out; a few stand for all.
  Array.from({ length: Math.min(to - from, 1000) }, (_, index) => from + index);

/**
 * Whether a period still lasts. Clocks of two machines differ a little; a period that begins further
 * ahead than it is long is from before the clock was set back, and over.
 */
const isWithin = (fromMs: number, timeMs: number, nowMs: number): boolean =>
  fromMs - timeMs <= nowMs && nowMs < fromMs + timeMs;

/** The first number of a run: uploads that race must not hide the segments before them. */
function runStart(
  progress: RunProgress,
  rules: PublicationRules,
  nowMs: number,
): { number?: number; wakeAtMs?: number } {
  const lowest = Math.min(progress.known[0] ?? Number.POSITIVE_INFINITY, progress.firstNumber);
  const ready = progress.outcomes.find((outcome) => outcome.type === 'rendered');
  if (!ready) {
    const nothingCame = progress.isOver && progress.outcomes.length >= progress.known.length;
    return nothingCame ? { number: lowest } : {};
  }
  if (lowest === 0 || (progress.startHint ?? -1) >= lowest) return { number: lowest };
  const { createdAtMs } = progress;
  const waits = !progress.isOver && isWithin(createdAtMs, rules.holeGraceMs, nowMs);
  return waits ? { wakeAtMs: createdAtMs + rules.holeGraceMs } : { number: lowest };
}

/** Entries in the making, and the state that they lead to. */
class TimelineDraft {
  readonly entries: TimelineEntry[] = [];
  readonly shown: RenderedOutcome[] = [];
  state: TimelineState;
  readonly #run: number;
  #startsRun: boolean;

  constructor(state: TimelineState, progress: RunProgress) {
    this.state = state;
    this.#run = progress.run;
    this.#startsRun = state.run !== progress.run || state.nextNumber === undefined;
    if (this.#startsRun) {
      const zero = progress.anchorMs - ticksToMs(progress.anchorTicks);
      this.state = { ...state, zeroProgramDateTimeMs: zero };
    }
  }

  append(outcome: RenderedOutcome): void {
    const { state } = this;
    const first = state.nextSequence === 0;
    const jump = outcome.startTicks - state.endTicks;
    const restarts = this.#startsRun || Math.abs(jump) > MAX_TIME_JUMP_TICKS;
    const otherInit = Object.entries(outcome.renditions).some(([name, piece]) => {
      const before = state.renditions[name]?.initKey;
      return before !== undefined && before !== piece.initKey;
    });
    const discontinuity = !first && (restarts || otherInit);
    const zero = this.#zeroFor(outcome.startTicks, first);
    const renditions = { ...state.renditions };
    for (const [name, piece] of Object.entries(outcome.renditions)) {
      const info = outcome.catalogue[name];
      if (!info) continue;
      const before = renditions[name];
      const bps = (piece.sizeBytes * 8 * TICKS_PER_SECOND) / outcome.durationTicks;
      renditions[name] = {
        info,
        initKey: piece.initKey,
        peakBps: Math.max(before?.peakBps ?? 0, Math.round(bps)),
        sizeBytes: (before?.sizeBytes ?? 0) + piece.sizeBytes,
        durationTicks: (before?.durationTicks ?? 0) + outcome.durationTicks,
      };
    }
    this.#push({
      number: outcome.number,
      startTicks: outcome.startTicks,
      durationTicks: outcome.durationTicks,
      programDateTimeMs: zero + ticksToMs(outcome.startTicks),
      discontinuity,
      renditions: outcome.renditions,
    });
    this.shown.push(outcome);
    this.state = {
      ...this.state,
      zeroProgramDateTimeMs: zero,
      renditions,
      startedAtMs: this.state.startedAtMs ?? Math.round(zero + ticksToMs(outcome.startTicks)),
    };
    this.#startsRun = false;
  }

  /** Whether no media is missing before this segment, whatever the numbers say. */
  continuesWith({ startTicks }: RenderedOutcome): boolean {
    return !this.#startsRun && Math.abs(startTicks - this.state.endTicks) <= NO_JUMP_TICKS;
  }

  /**
   * A gap for the numbers from `from` up to the ready segment `later`; none where the source's clock
   * shows that nothing is missing (the encoder skipped numbers). false if this write cannot hold it.
   */
  appendGap(
    from: number,
    later: RenderedOutcome,
    targetSeconds: number,
    maxEntries: number,
  ): boolean {
    const missingTicks = later.startTicks - this.state.endTicks;
    const longestTicks = targetSeconds * TICKS_PER_SECOND;
    const count = later.number - from;
    const size = Math.max(Math.ceil(missingTicks / longestTicks), Math.min(count, maxEntries));
    // Longer than the numbers allow, or than one write holds: a discontinuity takes its place.
    const knowable =
      !this.#startsRun &&
      missingTicks > MAX_TIME_JUMP_TICKS &&
      missingTicks <= count * longestTicks &&
      size <= maxEntries;
    if (!knowable) return true;
    if (this.entries.length > 0 && this.entries.length + size > maxEntries) return false;
    for (let index = 0; index < size; index += 1) {
      const startTicks = this.state.endTicks;
      const endTicks = later.startTicks - Math.round((missingTicks * (size - 1 - index)) / size);
      this.#push({
        number: Math.min(from + index, later.number - 1),
        startTicks,
        durationTicks: endTicks - startTicks,
        programDateTimeMs: this.state.zeroProgramDateTimeMs + ticksToMs(startTicks),
        discontinuity: false,
        renditions: {},
      });
    }
    return true;
  }

  /** Wall clock of time zero: a clock that starts over goes on where the entry before ended. */
  #zeroFor(startTicks: number, first: boolean): number {
    const { zeroProgramDateTimeMs: zero, endProgramDateTimeMs: endMs } = this.state;
    const startMs = zero + ticksToMs(startTicks);
    return first || startMs >= endMs - 1 ? zero : zero + (endMs - startMs);
  }

  #push(entry: Omit<TimelineEntry, 'sequence' | 'run' | 'offsetTicks' | 'discontinuities'>): void {
    const { endedAtMs: _, ...state } = this.state;
    const discontinuities = state.discontinuities + (entry.discontinuity ? 1 : 0);
    this.entries.push({
      ...entry,
      sequence: state.nextSequence,
      run: this.#run,
      offsetTicks: state.endOffsetTicks,
      discontinuities,
    });
    this.state = {
      ...state,
      nextSequence: state.nextSequence + 1,
      endTicks: entry.startTicks + entry.durationTicks,
      endOffsetTicks: state.endOffsetTicks + entry.durationTicks,
      endProgramDateTimeMs: entry.programDateTimeMs + ticksToMs(entry.durationTicks),
      discontinuities,
    };
  }
}
