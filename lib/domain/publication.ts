/**
 * What may be appended to the timeline now. Pure: the publisher asks it and writes what it answers.
 *
 * A live playlist only grows at its end and shrinks at its front (RFC 8216bis, 6.2.1). So a segment
 * is appended when all before it are completed; a missing one is waited for until a grace period
 * after a later segment is ready, then it becomes a gap for good. The recording has it all the same
 * when it comes later (recording.ts).
 */

import { piecesOf, type RenderedOutcome, type SegmentOutcome } from './segment.ts';
import { TICKS_PER_SECOND } from './ticks.ts';
import type { TimelineEntry, TimelineState } from './timeline.ts';
import { type MakeSilence, type StoredObject, TimelineDraft } from './timeline-draft.ts';

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
  /** A segment of the later run is ready to be shown, since then. */
  nextRunReadyAtMs?: number;
}>;

export type PublicationRules = Readonly<{ holeGraceMs: number; targetDurationSeconds: number }>;

export type Publication = Readonly<{
  entries: readonly TimelineEntry[];
  /** Of the entries that are no gaps, in their order. */
  shown: readonly RenderedOutcome[];
  /** To be stored before the entries are written: silence where a segment has no audio. */
  objects: readonly StoredObject[];
  /** After these entries. At the start of the next run, if this run is done. */
  state: TimelineState;
  /** The run has nothing more to publish and a later run has begun. */
  runIsDone: boolean;
  /** One write holds no more entries; more may be ready. */
  isFull: boolean;
  /** Ask again at this time: the grace of a missing segment ends then. */
  wakeAtMs: number | undefined;
}>;

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
  makeSilence?: MakeSilence,
): Publication {
  const draft = new TimelineDraft(state, progress, rules.targetDurationSeconds, nowMs, makeSilence);
  const known = new Set(progress.known);
  const goesOn = state.run === progress.run && state.nextNumber !== undefined;
  const start = goesOn ? { number: state.nextNumber } : runStart(progress, rules, nowMs);
  if (start.number === undefined) {
    const { wakeAtMs } = start;
    const nothing = { entries: [], shown: [], objects: [] };
    return { ...nothing, state, runIsDone: false, isFull: false, wakeAtMs };
  }
  let number: number = start.number;
  let isFull: boolean;
  let wakeAtMs: number | undefined;
  const { nextRunReadyAtMs } = progress;
  /** The next run waits for this one's last segments, but no longer than a target duration. */
  const nextRunGraceEnd = (): number | undefined =>
    nextRunReadyAtMs === undefined
      ? undefined
      : graceEndMs(nextRunReadyAtMs, 1000 * rules.targetDurationSeconds, nowMs);
  const outcomes = new Map(progress.outcomes.map((outcome) => [outcome.number, outcome]));
  const lastKnown = Math.max(progress.known.at(-1) ?? -1, progress.outcomes.at(-1)?.number ?? -1);
  for (;;) {
    isFull = draft.entries.length >= MAX_ENTRIES;
    if (isFull) break;
    const outcome = outcomes.get(number);
    if (outcome?.type === 'rendered') {
      const { length } = piecesOf(outcome);
      isFull = draft.entries.length > 0 && draft.entries.length + length > MAX_ENTRIES;
      if (isFull) break;
      draft.append(outcome);
      number += 1;
      continue;
    }
    const later = progress.outcomes.find((one) => one.type === 'rendered' && one.number > number);
    if (later?.type !== 'rendered') {
      if (!progress.isOver) break;
      // Nothing to show behind it: what failed or never came at a run's end is passed over.
      const pending = progress.known.some((one) => one >= number && !outcomes.has(one));
      if (pending) {
        wakeAtMs = nextRunGraceEnd();
        if (progress.nextRunReadyAtMs === undefined || wakeAtMs !== undefined) break;
      }
      number = Math.max(number, lastKnown + 1);
      break;
    }
    const missing = numbersBetween(number, later.number);
    const blocking = missing.filter((one) => !outcomes.has(one));
    const isStuck = blocking.some((one) => known.has(one));
    if (isStuck || (blocking.length > 0 && !draft.continuesWith(later, NO_JUMP_TICKS))) {
      const graceMs = isStuck ? STUCK_SEGMENT_GRACE_MS : rules.holeGraceMs;
      // A failed segment before the missing one needs no waiting, but a gap is made in one piece.
      wakeAtMs =
        nextRunReadyAtMs === undefined || graceMs === rules.holeGraceMs
          ? graceEndMs(later.completedAtMs, graceMs, nowMs)
          : nextRunGraceEnd();
      if (wakeAtMs !== undefined) break;
    }
    isFull = !draft.appendGap(number, later, MAX_ENTRIES);
    if (isFull) break;
    number = later.number;
  }
  const runIsDone = progress.isOver && number > lastKnown;
  const { nextNumber: _, ...left } = draft.state;
  const reached = draft.startsRun ? {} : { nextNumber: number };
  const next = runIsDone ? { run: progress.run + 1 } : { run: progress.run, ...reached };
  const { entries, shown, objects } = draft;
  return { entries, shown, objects, state: { ...left, ...next }, runIsDone, isFull, wakeAtMs };
}

const numbersBetween = (from: number, to: number): number[] =>
  // A run that counts by the clock can leave thousands of numbers out; a few stand for all.
  Array.from({ length: Math.min(to - from, 1000) }, (_, index) => from + index);

/**
 * The end of a period; undefined when it is over. Clocks of two machines differ a little; a period that
 * begins further ahead than it is long is from before the clock was set back, and over.
 */
const graceEndMs = (fromMs: number, timeMs: number, nowMs: number): number | undefined =>
  fromMs - timeMs <= nowMs && nowMs < fromMs + timeMs ? fromMs + timeMs : undefined;

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
  if (lowest === 0 || (progress.startHint ?? -1) >= lowest || progress.isOver) {
    return { number: lowest };
  }
  // A viewer who waits for an encoder to come back waits no longer than a target duration for this.
  const graceMs = Math.min(rules.holeGraceMs, 1000 * rules.targetDurationSeconds);
  const wakeAtMs = graceEndMs(progress.createdAtMs, graceMs, nowMs);
  return wakeAtMs === undefined ? { number: lowest } : { wakeAtMs };
}
