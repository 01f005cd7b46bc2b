/** Records of what has expired, as far as there are any: read in pages, to be deleted in one write each. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { SegmentOutcome } from '../../domain/segment.ts';
import type { Run } from '../../domain/stream.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { closedCaptionsSort } from './closed-caption-records.ts';
import {
  countedSort,
  digits,
  durationSort,
  HIGHEST,
  languagePieceSort,
  lateArrivalSort,
  numbersOf,
  outcomeSort,
  partitionOf,
  queuedSort,
  runSort,
  segmentSort,
  timelineSort,
} from './record-keys.ts';

type Store = Readonly<{ store: RecordStore }>;

export type StoredRecord = Readonly<{
  partition: string;
  sort: string;
  value: unknown;
  /** If it is that of a segment's job. */
  outcome?: SegmentOutcome;
  /** Of an entry of the timeline. */
  sequence?: number;
}>;

/** A write takes a hundred, with the removal's own record. */
const PAGE_OF_EACH = 12;
const PAGE = 90;

/** Of a run's segments from one number up to another, which does not belong to it; the lowest of each kind. */
export async function segmentRecords(
  { store }: Store,
  stream: StreamIdentity,
  run: number,
  from: number,
  to: number,
): Promise<readonly StoredRecord[]> {
  const partition = partitionOf(stream);
  const read = async (sortOf: (run: number, number: number) => string) => {
    const last = Number.isFinite(to)
      ? sortOf(run, to - 1)
      : sortOf(run, 0).replace(/\d+$/, HIGHEST);
    return store.query(partition, { from: sortOf(run, from), to: last, limit: PAGE_OF_EACH });
  };
  const numbers = numbersOf(stream, run);
  const last = Number.isFinite(to) ? digits(to - 1) : HIGHEST;
  const [outcomes, named, ...others] = await Promise.all([
    read(outcomeSort),
    store.query(numbers, { from: digits(from), to: last, limit: PAGE_OF_EACH }),
    ...[
      ...[segmentSort, durationSort, queuedSort, lateArrivalSort, closedCaptionsSort, countedSort],
    ].map(read),
  ]);
  return [
    ...others.flat().map(({ sort, value }) => ({ partition, sort, value })),
    ...outcomes.map(({ sort, value }) => {
      return { partition, sort, value, outcome: value as SegmentOutcome };
    }),
    ...named.map(({ sort }) => ({ partition: numbers, sort, value: null })),
  ];
}

/** Entries from one sequence up to another, which does not belong to it, and what came late of languages. */
export async function timelineRecords(
  { store }: Store,
  stream: StreamIdentity,
  from: number,
  to: number,
): Promise<readonly StoredRecord[]> {
  const partition = partitionOf(stream);
  const range = { from: timelineSort(from), to: timelineSort(to - 1), limit: PAGE };
  const late = { from: languagePieceSort(from), to: languagePieceSort(to - 1, '~'), limit: PAGE };
  const pieces = await store.query(partition, late);
  if (pieces.length > 0) return pieces.map(({ sort, value }) => ({ partition, sort, value }));
  const items = await store.query(partition, range);
  return items.map(({ sort, value }) => {
    return { partition, sort, value, sequence: Number(sort.split('/')[1]) };
  });
}

/**
 * Of a run none of whose segments is left: its session's, so that the encoder begins another run should it come
 * back; and of one that is over its own. The first stays, as later runs take the order of their tracks from it.
 */
export async function runRecords(
  { store }: Store,
  stream: StreamIdentity,
  run: number,
  currentRun: number,
): Promise<readonly StoredRecord[]> {
  const partition = partitionOf(stream);
  const segments = { from: segmentSort(run, 0), to: `segment/${run}/${HIGHEST}`, limit: 1 };
  const [left, item] = await Promise.all([
    store.query(partition, segments),
    store.get(partition, runSort(run)),
  ]);
  if (left.length > 0 || !item) return [];
  const { session } = item.value as Run;
  const sorts = [`session/${session}`, `announced/${run}`];
  if (run > 1 && run < currentRun) sorts.push(`naming/${session}`, `init/${session}`, runSort(run));
  const items = await Promise.all(sorts.map((sort) => store.get(partition, sort)));
  return sorts.filter((_, index) => items[index]).map((sort) => ({ partition, sort, value: null }));
}
