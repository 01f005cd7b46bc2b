/** Records of markers: each with its newest revision, and the changes that viewers are shown. */

import type { MarkerChange, MarkerRecord } from '../../domain/markers/marker.ts';
import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { find, put } from './record-access.ts';
import { digits, HIGHEST, partitionOf } from './record-keys.ts';
import type { Versioned } from './record-types.ts';

type Store = Readonly<{ store: RecordStore }>;

const markerSort = (id: string): string => `marker/${id}`;
const changeSort = (version: number): string => `marker-change/${digits(version)}`;

export const findMarker = (
  { store }: Store,
  stream: StreamIdentity,
  id: string,
): Promise<Versioned<MarkerRecord> | undefined> =>
  find<MarkerRecord>(store, partitionOf(stream), markerSort(id));

/** All or none; `version` 0: there must be none yet. */
export const writeMarkers = (
  { store }: Store,
  stream: StreamIdentity,
  records: readonly Readonly<{ id: string; record: MarkerRecord; version: number }>[],
): Promise<boolean> =>
  store.write(
    records.map(({ id, record, version }) =>
      put(partitionOf(stream), markerSort(id), record, version),
    ),
  );

/** With versions from `from` on, in their order. */
export async function markerChanges(
  { store }: Store,
  stream: StreamIdentity,
  from: number,
  limit: number,
): Promise<MarkerChange[]> {
  const range = { from: changeSort(from), to: `marker-change/${HIGHEST}`, limit };
  const items = await store.query(partitionOf(stream), range);
  return items.map((item) => item.value as MarkerChange);
}

/** Where the records of a marker lie: its changes with these versions, and its own. */
export const markerSorts = (id: string, versions: readonly number[]): readonly string[] => [
  ...versions.map(changeSort),
  markerSort(id),
];

/** A marker whose change is shown, and its record as it was read. */
export type PublishedMarker = Readonly<{
  id: string;
  record: MarkerRecord;
  version: number;
  change: MarkerChange;
}>;

/** Changes that one write holds, beside the timeline's state. */
export const MAX_PUBLISHED_MARKERS = 45;

/** Shows changes, all or none; false when the timeline's state or a marker has changed since it was read. */
export function publishChanges(
  { store }: Store,
  stream: StreamIdentity,
  published: readonly PublishedMarker[],
  timeline: Versioned<TimelineState>,
): Promise<boolean> {
  const partition = partitionOf(stream);
  return store.write([
    ...published.flatMap(({ id, record, version, change }) => [
      put(partition, changeSort(change.version), change, 0),
      put(partition, markerSort(id), record, version),
    ]),
    put(partition, 'head', timeline.value, timeline.version),
  ]);
}
