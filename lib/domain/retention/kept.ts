/**
 * What retention has left of a timeline. Entries leave the recording first: it gets an address of its own
 * for each change, as a playlist that has ended may not change (RFC 8216bis, 6.2.1). Their objects and
 * records go a grace period later. Pure.
 */

import { DEFAULT_TARGET_SECONDS } from '../stream.ts';
import { TICKS_PER_SECOND } from '../ticks.ts';
import type { TimelineEntry, TimelineState } from '../timeline.ts';
import {
  DAY_MS,
  isBeforePlace,
  protectedTicks,
  type RemovedRange,
  type RetentionSettings,
  type SegmentPlace,
} from './retention.ts';

/** Longer than any player is paused or any cache keeps a playlist. */
export const REMOVAL_GRACE_MS = DAY_MS;

/** Playlists that list removed entries are served for so long, and players have the rest of the grace. */
const OLD_ADDRESS_MS = REMOVAL_GRACE_MS / 2;

/** A new removal has a day's worth at least: each one gives recordings other addresses. */
const REMOVAL_INTERVAL_MS = DAY_MS;

/** Where the recording begins, from the start of the stream and by its wall clock. */
export type RecordingStart = Readonly<{
  sequence: number;
  offsetTicks: number;
  programDateTimeMs: number;
}>;

/** The entry that a period begins with (`period.ts`). */
export type PeriodStart = Pick<
  TimelineEntry,
  'discontinuities' | 'run' | 'startTicks' | 'programDateTimeMs'
>;

/** Entries that the recording does not list any more, and whose objects are still stored. */
export type PendingRemoval = Readonly<{
  id: string;
  /** Since this version of what is kept, and this time. */
  version: number;
  atMs: number;
  /** When the newest of them was on air. */
  untilMs: number;
  /** The floor since then. */
  floorSequence: number;
}>;

/** A part of the timeline's state; absent: all is kept. */
export type Kept = Readonly<{
  /** Counts the changes of what the recording lists. */
  version: number;
  /** Below it only entries around markers are kept; it never falls. */
  floorSequence: number;
  /** The start of its first entry, or the end if all has expired: from the stream's start, and by its wall clock. */
  floorTicks: number;
  floorMs: number;
  /** The first segment at the floor: those before it are taken no more. */
  floorPlace: SegmentPlace;
  /** The start of the period of the entry at the floor, whose record may be gone: live MPDs name it. */
  floorPeriod?: PeriodStart;
  /** undefined: nothing is left. */
  first?: RecordingStart | undefined;
  /** How many below the floor are kept. */
  entriesBelow: number;
  /** The oldest first. */
  removals: readonly PendingRemoval[];
  /** Below it objects may be gone: the highest floor of a removal that is complete. */
  goneSequence: number;
}>;

/** A removal as it is recorded, by the job that plans it and carries it out. */
export type Removal = Readonly<{
  id: string;
  /** The publisher takes it into the state; out of it again when it is cancelled, or complete (`purged`). */
  status: 'planned' | 'cancelled' | 'purged';
  ranges: readonly RemovedRange[];
  /** The floor with it. */
  floor: Pick<Kept, 'floorSequence' | 'floorTicks' | 'floorMs' | 'floorPlace' | 'floorPeriod'>;
  /** undefined: it stays where it is. */
  first?: RecordingStart | 'none' | undefined;
  /** How many entries more, or fewer, are kept below the floor. */
  entriesBelow: number;
  /** How many late arrivals are removed with it. */
  lateArrivals: number;
  /** Its objects are being removed: it cannot be cancelled any more. */
  purging?: true;
  /** Of what was removed until now: of segments, and how many changes of markers. */
  purgedBytes: number;
  purgedChanges: number;
  /** Of captions: changes, and what they held (`weightOf`). */
  purgedCaptions?: Readonly<{ changes: number; weight: number }>;
}>;

/** The state's part with a removal. */
export function withRemoval(kept: Kept | undefined, removal: Removal, nowMs: number): Kept {
  const { version = 0, removals = [], entriesBelow = 0, goneSequence = 0 } = kept ?? {};
  const isHigher = removal.floor.floorSequence > (kept?.floorSequence ?? 0);
  const floor = isHigher || !kept ? removal.floor : kept;
  const { floorSequence, floorTicks, floorMs, floorPlace, floorPeriod } = floor;
  const untilMs = Math.max(...removal.ranges.map(({ toMs }) => toMs));
  const pending = { id: removal.id, version: version + 1, atMs: nowMs, untilMs, floorSequence };
  return {
    ...{ version: version + 1, floorSequence, floorTicks, floorMs, floorPlace, goneSequence },
    first: removal.first === 'none' ? undefined : (removal.first ?? kept?.first),
    ...(floorPeriod && { floorPeriod }),
    entriesBelow: entriesBelow + removal.entriesBelow,
    removals: [...removals, pending],
  };
}

/** The state's part when a removal is complete: viewers see no difference. */
export const withoutPurged = (kept: Kept, removal: Removal): Kept => ({
  ...kept,
  removals: kept.removals.filter(({ id }) => id !== removal.id),
  goneSequence: Math.max(kept.goneSequence, removal.floor.floorSequence),
});

/** The recording has its entries again, below the floor. Live playlists do not: they never go back. */
export function withoutCancelled(kept: Kept, removal: Removal): Kept {
  const [range] = removal.ranges;
  const isFirst = range && range.from < (kept.first?.sequence ?? Number.POSITIVE_INFINITY);
  const first = isFirst
    ? { sequence: range.from, offsetTicks: range.offsetTicks, programDateTimeMs: range.fromMs }
    : kept.first;
  return {
    ...kept,
    version: kept.version + 1,
    first,
    entriesBelow: kept.entriesBelow + removal.ranges.reduce((sum, { entries }) => sum + entries, 0),
    removals: kept.removals.filter(({ id }) => id !== removal.id),
  };
}

/** What is from the future is from before the clock was set back, and waits from now on. */
const ageMs = (atMs: number, nowMs: number): number => Math.max(0, nowMs - atMs);

/** Whether the objects of a removal may go. */
export const isPurgeDue = ({ atMs }: Pick<PendingRemoval, 'atMs'>, nowMs: number): boolean =>
  ageMs(atMs, nowMs) >= REMOVAL_GRACE_MS;

const isOldAddress = ({ atMs }: PendingRemoval, nowMs: number): boolean =>
  ageMs(atMs, nowMs) >= OLD_ADDRESS_MS;

/**
 * Whether the recording is still presented as it was with this version: it is the current one, or all that was
 * removed since has been removed for less than half of the grace.
 */
export function isPresented(kept: Kept | undefined, version: number, nowMs: number): boolean {
  const { version: current = 0, removals = [] } = kept ?? {};
  if (!Number.isInteger(version) || version < 0 || version > current) return false;
  const since = removals.filter((one) => one.version > version && !isOldAddress(one, nowMs));
  return since.length === current - version;
}

/** The part of the state as it was with a version that is still presented. */
export const keptAt = (kept: Kept | undefined, version: number): Kept | undefined =>
  kept && { ...kept, version, removals: kept.removals.filter((one) => one.version <= version) };

/**
 * A live playlist that has ended and lists entries below it is not served any more: its objects are gone, or go
 * within half of the grace.
 */
export const goneBelow = (kept: Kept | undefined, nowMs: number): number =>
  Math.max(
    kept?.goneSequence ?? 0,
    ...(kept?.removals ?? [])
      .filter((one) => isOldAddress(one, nowMs))
      .map((one) => one.floorSequence),
  );

/** How many entries the recording may have; gaps and late arrivals not counted apart. */
export const keptEntries = ({
  kept,
  nextSequence,
}: Pick<TimelineState, 'kept' | 'nextSequence'>): number =>
  kept ? nextSequence - kept.floorSequence + kept.entriesBelow : nextSequence;

/** Whether a segment is older than all that is kept, but for what is kept around markers. */
export const isBelowFloor = ({ kept }: Pick<TimelineState, 'kept'>, place: SegmentPlace): boolean =>
  kept !== undefined && isBeforePlace(place, kept.floorPlace);

/** Whether the job of retention has something to do. */
export function isRetentionDue(
  retention: RetentionSettings | null | undefined,
  state: TimelineState,
  nowMs: number,
): boolean {
  const { kept, nextSequence, startedAtMs = Number.POSITIVE_INFINITY } = state;
  const {
    removals = [],
    first,
    floorSequence = 0,
    floorTicks = 0,
    floorMs = startedAtMs,
  } = kept ?? {};
  if (removals.some((one) => isPurgeDue(one, nowMs))) return true;
  const expiredMs = nowMs - (retention?.days ?? Number.POSITIVE_INFINITY) * DAY_MS;
  // The setting was made longer, or the clock was set back: what waits for its removal is kept.
  if (removals.some(({ untilMs }) => untilMs > expiredMs)) return true;
  if (!retention) return false;
  const { targetDurationSeconds = DEFAULT_TARGET_SECONDS } = state;
  const isProtected =
    floorTicks + targetDurationSeconds * TICKS_PER_SECOND > protectedTicks(state, nowMs);
  const hasMore = floorSequence < nextSequence && !isProtected;
  if (hasMore && floorMs + REMOVAL_INTERVAL_MS <= expiredMs) return true;
  const longest = Math.max(
    retention.days,
    ...[...(retention.marked ?? []).map(({ days }) => days), retention.clipped].map(
      (days = retention.days) => days ?? Number.POSITIVE_INFINITY,
    ),
  );
  const isBelow = first !== undefined && first.sequence < floorSequence;
  return isBelow && first.programDateTimeMs + (longest + 1) * DAY_MS <= nowMs;
}
