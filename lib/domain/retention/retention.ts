/**
 * Retention: which entries of a timeline have expired by the owner's settings. They leave the playlists
 * first; their objects go a grace period later (`kept.ts`). Pure.
 */

import { type Marker, overlaps } from '../markers/marker.ts';
import { DEFAULT_TARGET_SECONDS } from '../stream.ts';
import { TICKS_PER_SECOND, ticksToMs } from '../ticks.ts';
import { isEndShown, type TimelineEntry, type TimelineState } from '../timeline.ts';

/** What is kept longer: around markers of a class, or of all. Of several rules for a marker the longest counts. */
export type MarkedRetention = Readonly<{
  class?: string;
  /** null: for ever. */
  days: number | null;
  beforeSeconds: number;
  afterSeconds: number;
}>;

/** How long recordings are kept, in days after a segment was on air by the stream's wall clock. */
export type RetentionSettings = Readonly<{
  days: number;
  marked?: readonly MarkedRetention[];
  /** What the owner keeps as clips; null: for ever. Absent: no longer than the rest. */
  clipped?: number | null;
}>;

export const DAY_MS = 86_400_000;

/** All streams are checked so often for what has expired, also while nobody streams. */
export const RETENTION_INTERVAL_HOURS = 6;

/** A span of the stream's wall clock, Unix time in milliseconds; its end does not belong to it. */
export type TimeRange = Readonly<{ fromMs: number; toMs: number }>;

/** What of a stream's media is kept at an instant: what ends later than `expiredMs`, and these ranges. */
export type KeepRules = Readonly<{
  expiredMs: number;
  /** In order, without overlaps. */
  ranges: readonly TimeRange[];
}>;

const keptFromMs = (days: number | null, nowMs: number): number =>
  days === null ? Number.NEGATIVE_INFINITY : nowMs - days * DAY_MS;

/**
 * Of settings without retention: all is kept. A marker without an end, which a detector may have forgotten,
 * counts as an instant. `clips`: what the owner keeps, for as long as it is among them.
 */
export function keepRules(
  retention: RetentionSettings | null | undefined,
  markers: readonly Marker[],
  nowMs: number,
  clips: readonly TimeRange[] = [],
): KeepRules {
  if (!retention) return { expiredMs: Number.NEGATIVE_INFINITY, ranges: [] };
  const around = (retention.marked ?? []).flatMap((rule) =>
    markers
      .filter((marker) => keepsMarker(rule, marker, nowMs))
      .map(({ startMs, endMs = startMs }) => ({
        fromMs: startMs - 1000 * rule.beforeSeconds,
        // The instant itself is kept as well.
        toMs: endMs + 1000 * rule.afterSeconds + 1,
      })),
  );
  const { days, clipped = days } = retention;
  const clippedMs = keptFromMs(clipped, nowMs);
  return {
    expiredMs: keptFromMs(days, nowMs),
    ranges: mergeRanges([...around, ...clips.filter(({ toMs }) => toMs > clippedMs)]),
  };
}

const keepsMarker = (
  rule: MarkedRetention,
  { class: className, startMs, endMs = startMs }: Marker,
  nowMs: number,
): boolean =>
  (rule.class === undefined || rule.class === className) && endMs > keptFromMs(rule.days, nowMs);

/** Whether viewers are still shown a marker: nothing is left of what it marks if not. */
export const isMarkerKept = (
  marker: Marker,
  { retention }: Readonly<{ retention?: RetentionSettings | null }>,
  /** Where the recording begins. */
  recordedSinceMs: number,
  nowMs: number,
): boolean =>
  overlaps(marker, recordedSinceMs, Number.POSITIVE_INFINITY) ||
  (retention?.marked?.some((rule) => keepsMarker(rule, marker, nowMs)) ?? false);

export function mergeRanges(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const merged: TimeRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && range.fromMs <= last.toMs) {
      merged[merged.length - 1] = { ...last, toMs: Math.max(last.toMs, range.toMs) };
    } else merged.push(range);
  }
  return merged;
}

/** Whether any part of a span is in one of the ranges, which are in order and do not overlap. */
export function isInRanges(ranges: readonly TimeRange[], { fromMs, toMs }: TimeRange): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.toMs ?? 0) <= fromMs) low = middle + 1;
    else high = middle;
  }
  return (ranges[low]?.fromMs ?? Number.POSITIVE_INFINITY) < toMs;
}

/** When an entry was on air. */
export const airedAt = (
  entry: Pick<TimelineEntry, 'programDateTimeMs' | 'durationTicks'>,
): TimeRange => ({
  fromMs: entry.programDateTimeMs,
  toMs: entry.programDateTimeMs + ticksToMs(entry.durationTicks),
});

/** Where a segment stands in the stream: by its encoder run, then by its number. */
export type SegmentPlace = Readonly<{ run: number; number: number }>;

export const isBeforePlace = (one: SegmentPlace, other: SegmentPlace): boolean =>
  one.run < other.run || (one.run === other.run && one.number < other.number);

/** Entries in a row that are removed, with all segments of their place, listed or not. */
export type RemovedRange = TimeRange &
  Readonly<{
    /** Sequences; the second does not belong to it. */
    from: number;
    to: number;
    entries: number;
    /** Of the first entry, from the start of the stream. */
    offsetTicks: number;
    /** Segments; the second does not belong to it. */
    fromPlace: SegmentPlace;
    toPlace: SegmentPlace;
  }>;

/**
 * What live playlists may not lose, from the start of the stream: one of the type EVENT loses nothing until
 * viewers have been shown its end (RFC 8216bis, 4.4.3.5), another one keeps three target durations (6.2.2).
 */
export function protectedTicks(state: TimelineState, nowMs: number): number {
  if (isEndShown(state, nowMs)) return Number.POSITIVE_INFINITY;
  if (state.isEvent) return Number.NEGATIVE_INFINITY;
  const { endOffsetTicks, targetDurationSeconds = DEFAULT_TARGET_SECONDS } = state;
  return endOffsetTicks - 3 * targetDurationSeconds * TICKS_PER_SECOND;
}

export type ExpiryPlan = Readonly<{
  ranges: readonly RemovedRange[];
  /** Those that have expired and are kept all the same, around markers. */
  keptEntries: readonly TimelineEntry[];
  /** The first of all that are kept; undefined if none is. */
  firstKept?: TimelineEntry;
  /** The first that has not expired; undefined if all have. */
  floor?: TimelineEntry;
}>;

/** The bounds of a part of the timeline that `planExpiry` is asked about. */
export type ExpiryBounds = Readonly<{
  /** Of the first range: segments from here on go with it, whether they are listed or not. */
  startPlace: SegmentPlace;
  /** Behind the last entry. */
  endPlace: SegmentPlace;
  /** What ends later by the stream's own time stays (`protectedTicks`). */
  protectedTicks: number;
}>;

/** Which of these entries, in order, are to be removed. The pieces of one segment go together. */
export function planExpiry(
  entries: readonly TimelineEntry[],
  { expiredMs, ranges: kept }: KeepRules,
  bounds: ExpiryBounds,
): ExpiryPlan {
  const ranges: RemovedRange[] = [];
  const keptEntries: TimelineEntry[] = [];
  let before: TimelineEntry | undefined;
  for (const group of groupsOf(entries)) {
    const { first, last, next } = group;
    const span = { fromMs: airedAt(first).fromMs, toMs: airedAt(last).toMs };
    const endTicks = last.offsetTicks + last.durationTicks;
    if (span.toMs > expiredMs || endTicks > bounds.protectedTicks) {
      return { ranges, keptEntries, firstKept: keptEntries[0] ?? first, floor: first };
    }
    if (isInRanges(kept, span)) keptEntries.push(...group.entries);
    else {
      const follows = before !== undefined && before.sequence + 1 === first.sequence;
      const joined = follows && ranges.at(-1)?.to === first.sequence ? ranges.pop() : undefined;
      const fromPlace = before ? (follows ? behind(before) : placeOf(first)) : bounds.startPlace;
      const isNext = next?.sequence === last.sequence + 1;
      ranges.push({
        ...{ from: first.sequence, offsetTicks: first.offsetTicks, fromMs: span.fromMs, fromPlace },
        ...joined,
        entries: (joined?.entries ?? 0) + group.entries.length,
        to: last.sequence + 1,
        toMs: span.toMs,
        toPlace: next ? (isNext ? placeOf(next) : behind(last)) : bounds.endPlace,
      });
    }
    before = last;
  }
  const [firstKept] = keptEntries;
  return { ranges, keptEntries, ...(firstKept && { firstKept }) };
}

const placeOf = ({ run, number }: SegmentPlace): SegmentPlace => ({ run, number });
const behind = ({ run, number }: SegmentPlace): SegmentPlace => ({ run, number: number + 1 });

type Group = Readonly<{
  entries: readonly TimelineEntry[];
  first: TimelineEntry;
  last: TimelineEntry;
  next: TimelineEntry | undefined;
}>;

/** The pieces of one segment are a group. */
function* groupsOf(entries: readonly TimelineEntry[]): Generator<Group> {
  let from = 0;
  for (const [index, last] of entries.entries()) {
    const next = entries[index + 1];
    if (next?.run === last.run && next.number === last.number) continue;
    const group = entries.slice(from, index + 1);
    yield { entries: group, first: group[0] ?? last, last, next };
    from = index + 1;
  }
}
