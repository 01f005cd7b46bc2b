/**
 * What may be appended to the timeline now. Pure: the publisher asks it and writes what it answers.
 *
 * A live playlist only grows at its end and shrinks at its front (RFC 8216bis, 6.2.1). So a segment
 * is appended when all before it are settled; a hole is waited for until a grace period after a
 * later segment is ready, then it becomes a gap for good.
 */

import type { RenderedOutcome, SegmentOutcome } from './segment.ts';
import { TICKS_PER_SECOND, ticksToMs } from './ticks.ts';
import type { RenditionInfo, TimelineEntry } from './timeline.ts';

/** What a rendition has amounted to so far; BANDWIDTH and AVERAGE-BANDWIDTH come from it. */
export type RenditionTotals = Readonly<{
  info: RenditionInfo;
  /** Init segment of its newest entry: a change needs EXT-X-MAP, and a discontinuity. */
  initKey: string;
  peakBps: number;
  sizeBytes: number;
  durationTicks: number;
}>;

/** Where the timeline ends: all that is needed to append to it. */
export type TimelineHead = Readonly<{
  nextSequence: number;
  /** 0 before the first run. */
  run: number;
  /** The number to publish next; undefined until the run's first number is settled. */
  nextNumber?: number;
  endTicks: number;
  endOffsetTicks: number;
  endProgramDateTimeMs: number;
  /** Wall clock of timeline time zero in this run. */
  zeroProgramDateTimeMs: number;
  discontinuities: number;
  renditions: Readonly<Record<string, RenditionTotals>>;
  startedAtMs?: number;
  endedAtMs?: number;
  /** Counts late segments that were put into their gaps, for the recording. */
  lateArrivals: number;
}>;

export const EMPTY_HEAD: TimelineHead = {
  nextSequence: 0,
  run: 0,
  endTicks: 0,
  endOffsetTicks: 0,
  endProgramDateTimeMs: 0,
  zeroProgramDateTimeMs: 0,
  discontinuities: 0,
  renditions: {},
  lateArrivals: 0,
};

/** What is known of the run that is being published, from `head.nextNumber` on. */
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
  /** Outcomes of those that a worker has settled, in order of their numbers. */
  outcomes: readonly SegmentOutcome[];
  /** A later run has begun. */
  isOver: boolean;
}>;

export type PublicationRules = Readonly<{
  holeGraceMs: number;
  targetDurationSeconds: number;
}>;

export type Publication = Readonly<{
  entries: readonly TimelineEntry[];
  /** Of the entries that are no gaps, in their order. */
  shown: readonly RenderedOutcome[];
  head: TimelineHead;
  /** The run has nothing more to publish and a later run has begun. */
  runIsDone: boolean;
  /** Ask again at this time: a hole's grace ends then. */
  wakeAtMs?: number;
}>;

/** A jump of the source's clock larger than this starts the timestamps anew for players. */
const MAX_TIME_JUMP_TICKS = TICKS_PER_SECOND / 2;

/** Encoders that skip numbers lose no media: less than a frame is missing. */
const NO_JUMP_TICKS = TICKS_PER_SECOND / 30;

/** A worker that died is noticed, and its job done by another, well within this time. */
const STUCK_SEGMENT_GRACE_MS = 120_000;

/** A write of the table takes a hundred items; the head is one of them. */
const MAX_ENTRIES = 80;

/** `head.run` must be `progress.run`, or the run before it when all of that is published. */
export function planPublication(
  head: TimelineHead,
  progress: RunProgress,
  rules: PublicationRules,
  nowMs: number,
): Publication {
  const draft = new TimelineDraft(head, progress);
  const known = new Set(progress.known);
  const goesOn = head.run === progress.run && head.nextNumber !== undefined;
  const start = goesOn ? { number: head.nextNumber } : runStart(progress, rules, nowMs);
  if (start.number === undefined) {
    return { entries: [], shown: [], head, runIsDone: false, ...wake(start.wakeAtMs) };
  }
  let number: number = start.number;
  let wakeAtMs: number | undefined;
  const outcomes = new Map(progress.outcomes.map((outcome) => [outcome.number, outcome]));
  const lastKnown = Math.max(progress.known.at(-1) ?? -1, progress.outcomes.at(-1)?.number ?? -1);
  while (draft.entries.length < MAX_ENTRIES) {
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
      const deadlineMs = later.completedAtMs + graceMs;
      if (nowMs < deadlineMs) {
        // A failed segment before the hole needs no waiting, but gaps are made in one piece.
        wakeAtMs = deadlineMs;
        break;
      }
    }
    const gaps = draft.appendGap(number, later, rules.targetDurationSeconds, MAX_ENTRIES);
    if (gaps === 'full') break;
    number = later.number;
  }
  return {
    entries: draft.entries,
    shown: draft.shown,
    head: { ...draft.head, run: progress.run, nextNumber: number },
    runIsDone: progress.isOver && number > lastKnown,
    ...wake(wakeAtMs),
  };
}

const wake = (wakeAtMs: number | undefined) => (wakeAtMs === undefined ? {} : { wakeAtMs });

const numbersBetween = (from: number, to: number): number[] =>
  // A run that counts by the clock can leave thousands of numbers out; a few stand for all.
  Array.from({ length: Math.min(to - from, 1000) }, (_, index) => from + index);

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
  const wakeAtMs = progress.createdAtMs + rules.holeGraceMs;
  return nowMs >= wakeAtMs || progress.isOver ? { number: lowest } : { wakeAtMs };
}

/** Entries in the making, and the head that they lead to. */
class TimelineDraft {
  readonly entries: TimelineEntry[] = [];
  readonly shown: RenderedOutcome[] = [];
  head: TimelineHead;
  private readonly run: number;
  private startsRun: boolean;

  constructor(head: TimelineHead, progress: RunProgress) {
    this.head = head;
    this.run = progress.run;
    this.startsRun = head.run !== progress.run || head.nextNumber === undefined;
    if (this.startsRun) {
      const zero = progress.anchorMs - ticksToMs(progress.anchorTicks);
      this.head = { ...head, zeroProgramDateTimeMs: zero };
    }
  }

  append(outcome: RenderedOutcome): void {
    const { head } = this;
    const first = head.nextSequence === 0;
    const jump = outcome.startTicks - head.endTicks;
    const restarts = this.startsRun || Math.abs(jump) > MAX_TIME_JUMP_TICKS;
    const otherInit = Object.entries(outcome.renditions).some(([name, piece]) => {
      const before = head.renditions[name]?.initKey;
      return before !== undefined && before !== piece.initKey;
    });
    const discontinuity = !first && (restarts || otherInit);
    const zero = this.zeroFor(outcome.startTicks, first);
    const renditions = { ...head.renditions };
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
    this.push({
      number: outcome.number,
      startTicks: outcome.startTicks,
      durationTicks: outcome.durationTicks,
      programDateTimeMs: zero + ticksToMs(outcome.startTicks),
      discontinuity,
      renditions: outcome.renditions,
    });
    this.shown.push(outcome);
    this.head = {
      ...this.head,
      zeroProgramDateTimeMs: zero,
      renditions,
      startedAtMs: this.head.startedAtMs ?? Math.round(zero + ticksToMs(outcome.startTicks)),
    };
    this.startsRun = false;
  }

  /** Whether no media is missing before this segment, whatever the numbers say. */
  continuesWith({ startTicks }: RenderedOutcome): boolean {
    return !this.startsRun && Math.abs(startTicks - this.head.endTicks) <= NO_JUMP_TICKS;
  }

  /**
   * Stands in for the numbers from `from` up to the ready segment `later`. Where the source's clock
   * shows that nothing is missing (the encoder skipped numbers), no gap is made.
   */
  appendGap(
    from: number,
    later: RenderedOutcome,
    targetSeconds: number,
    maxEntries: number,
  ): 'done' | 'full' {
    const missingTicks = later.startTicks - this.head.endTicks;
    const longestTicks = targetSeconds * TICKS_PER_SECOND;
    const count = later.number - from;
    const size = Math.max(Math.ceil(missingTicks / longestTicks), Math.min(count, maxEntries));
    // Longer than the numbers allow, or than one write holds: players start anew behind it.
    const knowable =
      !this.startsRun &&
      missingTicks > MAX_TIME_JUMP_TICKS &&
      missingTicks <= count * longestTicks &&
      size <= maxEntries;
    if (!knowable) return 'done';
    if (this.entries.length > 0 && this.entries.length + size > maxEntries) return 'full';
    for (let index = 0; index < size; index += 1) {
      const startTicks = this.head.endTicks;
      const endTicks = later.startTicks - Math.round((missingTicks * (size - 1 - index)) / size);
      this.push({
        number: Math.min(from + index, later.number - 1),
        startTicks,
        durationTicks: endTicks - startTicks,
        programDateTimeMs: this.head.zeroProgramDateTimeMs + ticksToMs(startTicks),
        discontinuity: false,
        renditions: {},
      });
    }
    return 'done';
  }

  /** Wall clock of time zero: a clock that starts over goes on where the entry before ended. */
  private zeroFor(startTicks: number, first: boolean): number {
    const { zeroProgramDateTimeMs: zero, endProgramDateTimeMs: endMs } = this.head;
    const startMs = zero + ticksToMs(startTicks);
    return first || startMs >= endMs - 1 ? zero : zero + (endMs - startMs);
  }

  private push(
    entry: Omit<TimelineEntry, 'sequence' | 'run' | 'offsetTicks' | 'discontinuities'>,
  ): void {
    const { head } = this;
    const discontinuities = head.discontinuities + (entry.discontinuity ? 1 : 0);
    this.entries.push({
      ...entry,
      sequence: head.nextSequence,
      run: this.run,
      offsetTicks: head.endOffsetTicks,
      discontinuities,
    });
    this.head = {
      ...head,
      nextSequence: head.nextSequence + 1,
      endTicks: entry.startTicks + entry.durationTicks,
      endOffsetTicks: head.endOffsetTicks + entry.durationTicks,
      endProgramDateTimeMs: entry.programDateTimeMs + ticksToMs(entry.durationTicks),
      discontinuities,
    };
  }
}
