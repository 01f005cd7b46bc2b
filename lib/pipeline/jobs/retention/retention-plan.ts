/** Plans removals: finds what has expired of a stream, and records it for the publisher. */

import type { PeriodStart, Removal } from '../../../domain/retention/kept.ts';
import {
  airedAt,
  type ExpiryPlan,
  type KeepRules,
  planExpiry,
  protectedTicks,
  type SegmentPlace,
} from '../../../domain/retention/retention.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineEntry, TimelineState } from '../../../domain/timeline.ts';
import type { WorkerDeps } from '../../deps.ts';
import { digits } from '../../records/record-keys.ts';
import { writeRemoval } from '../../records/removal-records.ts';
import { findPeriodStart } from '../../records/timeline-search.ts';
import { isRemoved } from '../../view/recorded-entries.ts';

const PAGE = 500;

/** A record holds 400 kB at most (DynamoDB). */
const MAX_RANGES = 1000;
const MAX_ENTRIES = 20_000;
const MAX_REMOVALS = 10;

/** Where a scan of the entries goes on; `isFirst`: nothing is kept before. */
export type ScanFrom = Readonly<{ from: number; isFirst: boolean }>;

/** Returns where the next job goes on, if one does not plan all. */
export async function planRemovals(
  deps: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  rules: KeepRules,
  start: Partial<ScanFrom>,
  signal: AbortSignal,
): Promise<ScanFrom | undefined> {
  if (!Number.isFinite(rules.expiredMs)) return undefined;
  let { from = 0, isFirst = true } = start;
  for (let removals = 0; removals < MAX_REMOVALS; removals += 1) {
    signal.throwIfAborted();
    const scan = await scanFrom(deps, stream, state, rules, from);
    await recordRemoval(deps, stream, state, scan, isFirst);
    if (!scan.next) return undefined;
    isFirst &&= scan.plan.keptEntries.length === 0;
    from = scan.next.sequence;
  }
  return { from, isFirst };
}

type Scan = Readonly<{
  entries: readonly TimelineEntry[];
  plan: ExpiryPlan;
  /** With it the next scan begins. */
  next: TimelineEntry | undefined;
  endPlace: SegmentPlace;
}>;

async function scanFrom(
  { records, clock }: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  rules: KeepRules,
  from: number,
): Promise<Scan> {
  const removed = (await records.removals(stream)).flatMap(({ ranges }) => ranges);
  const protectedFrom = protectedTicks(state, clock.now());
  const hasExpired = (entry: TimelineEntry): boolean =>
    airedAt(entry).toMs <= rules.expiredMs &&
    entry.offsetTicks + entry.durationTicks <= protectedFrom;
  const entries: TimelineEntry[] = [];
  let isLowest: boolean | undefined;
  let isMore = true;
  for (let at = from; isMore && entries.length < MAX_ENTRIES; ) {
    const page = await records.entries(stream, at, state.nextSequence - 1, PAGE);
    const left = page.filter((entry) => !isRemoved(removed, entry));
    isLowest ??= from === 0 && left[0] !== undefined && left[0] === page[0];
    entries.push(...left);
    at = (page.at(-1)?.sequence ?? at) + 1;
    isMore = page.length === PAGE && (left.length === 0 || left.every(hasExpired));
  }
  const last = entries.at(-1);
  // The pieces of the last segment may not be all.
  const isCut = isMore && last !== undefined && hasExpired(last);
  const whole = isCut ? withoutLast(entries) : entries;
  const [first] = whole;
  const bounds = {
    startPlace: !first || isLowest ? { run: 0, number: 0 } : placeOf(first),
    endPlace: endOf(state, last),
    protectedTicks: protectedFrom,
  };
  const plan = planExpiry(whole, rules, bounds);
  const tooMany = plan.ranges[MAX_RANGES];
  if (tooMany) {
    const fewer = whole.filter(({ sequence }) => sequence < tooMany.from);
    const next = whole[fewer.length];
    const endPlace = next ? placeOf(next) : bounds.endPlace;
    const shorter = planExpiry(fewer, rules, { ...bounds, endPlace });
    return { entries: fewer, plan: shorter, next, endPlace };
  }
  const next = isCut ? entries[whole.length] : undefined;
  if (!next) return { entries: whole, plan, next, endPlace: bounds.endPlace };
  const endPlace = placeOf(next);
  return {
    entries: whole,
    plan: planExpiry(whole, rules, { ...bounds, endPlace }),
    next,
    endPlace,
  };
}

function withoutLast(entries: readonly TimelineEntry[]): readonly TimelineEntry[] {
  const last = entries.at(-1);
  const end = entries.findLastIndex(
    ({ run, number }) => run !== last?.run || number !== last.number,
  );
  return entries.slice(0, end + 1);
}

const placeOf = ({ run, number }: SegmentPlace): SegmentPlace => ({ run, number });

/** Behind the last entry; of one at the end of the timeline the place that is published next. */
function endOf(state: TimelineState, last: TimelineEntry | undefined): SegmentPlace {
  if (!last || last.sequence === state.nextSequence - 1) {
    return { run: state.run, number: state.nextNumber ?? 0 };
  }
  return { run: last.run, number: last.number + 1 };
}

async function recordRemoval(
  deps: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  { entries, plan, next, endPlace }: Scan,
  isFirst: boolean,
): Promise<void> {
  const { ranges, keptEntries, firstKept } = plan;
  const oldFloor = state.kept?.floorSequence ?? 0;
  const floorEntry = plan.floor ?? next;
  const floorPeriod = await periodOf(deps, stream, state, floorEntry ?? entries.at(-1));
  const period = floorPeriod && { floorPeriod };
  const floor = floorEntry
    ? {
        ...{ floorSequence: floorEntry.sequence, floorTicks: floorEntry.offsetTicks },
        ...{ floorMs: floorEntry.programDateTimeMs, floorPlace: placeOf(floorEntry), ...period },
      }
    : {
        ...{ floorSequence: state.nextSequence, floorTicks: state.endOffsetTicks },
        ...{ floorMs: state.endProgramDateTimeMs, floorPlace: endPlace, ...period },
      };
  if (ranges.length === 0 && floor.floorSequence <= oldFloor) return;
  const [range] = ranges;
  const first = firstKept ?? next;
  const isIn = ({ sequence }: TimelineEntry): boolean =>
    ranges.some(({ from, to }) => sequence >= from && sequence < to);
  const removedBelow = entries.filter((entry) => entry.sequence < oldFloor && isIn(entry)).length;
  const late = state.lateArrivals > 0 ? await deps.records.lateArrivals(stream) : [];
  const removal: Removal = {
    // One that raises the floor alone is another than that which begins there.
    id: range ? digits(range.from) : `floor-${digits(floor.floorSequence)}`,
    status: 'planned',
    ranges,
    floor,
    ...(isFirst && { first: first ? startOf(first) : 'none' }),
    entriesBelow: keptEntries.filter(({ sequence }) => sequence >= oldFloor).length - removedBelow,
    lateArrivals: late.filter((one) => isRemoved(ranges, one)).length,
    purgedBytes: 0,
    purgedChanges: 0,
  };
  // One that is there was recorded by an attempt before this one, and the publisher is asked again.
  await writeRemoval(deps, stream, removal, 0);
}

/** The start of the period that an entry lies in: at the floor that there is, or above it. */
async function periodOf(
  { records }: WorkerDeps,
  stream: Stream,
  { kept }: TimelineState,
  entry: TimelineEntry | undefined,
): Promise<PeriodStart | undefined> {
  const known = kept?.floorPeriod;
  if (!entry || known?.discontinuities === entry.discontinuities) return known;
  const start = entry.discontinuity ? entry : await findPeriodStart(records, stream, entry);
  if (!start) return undefined;
  const { discontinuities, run, startTicks, programDateTimeMs } = start;
  return { discontinuities, run, startTicks, programDateTimeMs };
}

const startOf = ({ sequence, offsetTicks, programDateTimeMs }: TimelineEntry) => ({
  ...{ sequence, offsetTicks, programDateTimeMs },
});
