/** Records of removals: what retention takes out of the recording, and later out of the stores. */

import type { Removal } from '../../domain/kept.ts';
import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { RecordStore, Write } from '../../ports/ports.ts';
import { find, put } from './record-access.ts';
import { partitionOf, removalSort } from './record-keys.ts';
import type { Versioned } from './record-types.ts';

type Store = Readonly<{ store: RecordStore }>;

export const findRemoval = (
  { store }: Store,
  stream: StreamIdentity,
  id: string,
): Promise<Versioned<Removal> | undefined> =>
  find<Removal>(store, partitionOf(stream), removalSort(id));

/** false if the record is no longer at `version` (0: none). `deleted` go with it: sort keys by partition. */
export const writeRemoval = (
  { store }: Store,
  stream: StreamIdentity,
  removal: Removal,
  version: number,
  deleted: readonly Readonly<{ partition: string; sort: string }>[] = [],
): Promise<boolean> =>
  store.write([
    put(partitionOf(stream), removalSort(removal.id), removal, version),
    ...deleted.map((item): Write => ({ type: 'delete', ...item })),
  ]);

/** Writes the state and drops removals that it no longer has; false if it is no longer at `version`. */
export const writeKept = (
  { store }: Store,
  stream: StreamIdentity,
  state: TimelineState,
  version: number,
  dropped: readonly Removal[],
): Promise<boolean> => {
  const partition = partitionOf(stream);
  return store.write([
    put(partition, 'head', state, version),
    ...dropped.map(({ id }): Write => ({ type: 'delete', partition, sort: removalSort(id) })),
  ]);
};
