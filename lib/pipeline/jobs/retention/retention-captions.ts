/** Which captions have expired with a removal: sets of cues of which no entry that is left shows any. */

import {
  type Cue,
  type CueClock,
  type CueSet,
  weightOf,
} from '../../../domain/captions/caption.ts';
import type { CaptionChange } from '../../../domain/captions/caption-log.ts';
import type { Removal } from '../../../domain/retention/kept.ts';
import { isInRanges, mergeRanges, type TimeRange } from '../../../domain/retention/retention.ts';
import type { Stream } from '../../../domain/stream.ts';
import { ticksToMs } from '../../../domain/ticks.ts';
import type { TimelineEntry, TimelineState } from '../../../domain/timeline.ts';
import type { WorkerDeps } from '../../deps.ts';
import {
  captionChangeSort,
  captionChanges,
  cueSetSort,
  findCueSet,
} from '../../records/caption-records.ts';
import { partitionOf } from '../../records/record-keys.ts';

const PAGE = 100;
const ENTRIES = 500;

/** Live segments have late cues of so much before them, too. */
const LATE_MS = 60_000;

/** A record that goes, with what it counts in the stream's limits. */
export type ExpiredCaption = Readonly<{
  partition: string;
  sort: string;
  /** The version that it must have. */
  expect?: number;
  /** Of its cues, if they are an object. */
  key?: string;
  weight: number;
  isChange: boolean;
}>;

type Known = {
  isExpired: boolean;
  changes: Readonly<{ version: number; weight: number; key?: string }>[];
};

/**
 * The changes of a set go together: one that is left would show cues again that were replaced. The newest change
 * of all stays, as it says where the log ends.
 */
export async function expiredCaptions(
  deps: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  removal: Removal,
): Promise<readonly ExpiredCaption[]> {
  const newest = state.captions?.version ?? 0;
  if (newest === 0) return [];
  const isShown = await shownCues(deps, stream, removal);
  const sets = new Map<string, Known>();
  for (let from = 1; from <= newest; ) {
    const page = await captionChanges(deps, stream, from, PAGE);
    for (const change of page) {
      const { track, set, version } = change;
      if (set === undefined) continue;
      const cues = await cuesOf(deps, change);
      const name = JSON.stringify([track, set]);
      const known = sets.get(name) ?? { isExpired: true, changes: [] };
      sets.set(name, known);
      known.isExpired &&= version !== newest && !cues?.cues.some((cue) => isShown(cues.clock, cue));
      const { content } = change;
      known.changes.push({
        ...{ version, weight: 1 + (cues ? weightOf(cues) : 0) },
        ...(content && 'key' in content && { key: content.key }),
      });
    }
    from = page.length < PAGE ? newest + 1 : (page.at(-1)?.version ?? newest) + 1;
  }
  const partition = partitionOf(stream);
  const expired: ExpiredCaption[] = [];
  for (const [name, { isExpired, changes }] of sets) {
    if (!isExpired) continue;
    const [track = '', set = ''] = JSON.parse(name) as string[];
    const record = await findCueSet(deps, stream, { track, set });
    // A change is on its way to viewers.
    if (record && record.value.revision !== record.value.publishedRevision) continue;
    for (const { version, ...change } of changes) {
      const sort = captionChangeSort(version);
      expired.push({ partition, sort, ...change, isChange: true });
    }
    if (!record) continue;
    const sort = cueSetSort({ track, set });
    expired.push({ partition, sort, expect: record.version, weight: 0, isChange: false });
  }
  return expired;
}

async function cuesOf(
  { media }: WorkerDeps,
  { content }: CaptionChange,
): Promise<CueSet | undefined> {
  if (!content || !('key' in content)) return content;
  const bytes = await media.get(content.key);
  return bytes && JSON.parse(Buffer.from(bytes).toString('utf8'));
}

/** Whether a cue is shown in what is left, or may be in what is still to come. Records of removed entries are gone. */
async function shownCues(
  { records }: WorkerDeps,
  stream: Stream,
  { floor }: Removal,
): Promise<(clock: CueClock, cue: Cue) => boolean> {
  const below = new Map<CueClock, TimeRange[]>();
  for (let from = 0; from < floor.floorSequence; ) {
    const page = await records.entries(stream, from, floor.floorSequence - 1, ENTRIES);
    for (const entry of page) {
      for (const [clock, fromMs] of startsOf(entry)) {
        const range = { fromMs: fromMs - LATE_MS, toMs: fromMs + ticksToMs(entry.durationTicks) };
        const ranges = below.get(clock) ?? [];
        const last = ranges.at(-1);
        // Entries in a row are one.
        if (last && last.fromMs <= range.fromMs && range.fromMs <= last.toMs) {
          ranges[ranges.length - 1] = { ...last, toMs: range.toMs };
        } else ranges.push(range);
        below.set(clock, ranges);
      }
    }
    from = page.length < ENTRIES ? floor.floorSequence : (page.at(-1)?.sequence ?? 0) + 1;
  }
  const first = await records.entry(stream, floor.floorSequence);
  const floors = new Map<CueClock, number>(first ? startsOf(first) : []);
  floors.set('start', ticksToMs(floor.floorTicks));
  floors.set('wall', floor.floorMs);
  const ranges = new Map([...below].map(([clock, list]) => [clock, mergeRanges(list)]));
  return (clock, { from, to }) => {
    const span = { fromMs: ticksToMs(from), toMs: ticksToMs(to) };
    const floorMs = floors.get(clock) ?? floorOfRun(clock, floor.floorPlace.run);
    return span.toMs > floorMs - (first ? LATE_MS : 0) || isInRanges(ranges.get(clock) ?? [], span);
  };
}

/** Of a run that has no entry at the floor: it is over, or is still to come. */
const floorOfRun = (clock: CueClock, floorRun: number): number =>
  Number(clock.split(' ')[1]) < floorRun ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;

/** The start of an entry by each clock, in milliseconds. */
const startsOf = ({
  run,
  startTicks,
  offsetTicks,
  programDateTimeMs,
}: TimelineEntry): [CueClock, number][] => [
  ['start', ticksToMs(offsetTicks)],
  ['wall', programDateTimeMs],
  [`run ${run}`, ticksToMs(startTicks)],
];
