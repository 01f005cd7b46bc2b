/** Records of removals: what retention takes out of the recording, and later out of the stores. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { Removal } from '../../domain/retention/kept.ts';
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

/** Sort keys by partition; `expect`: the version that a record must have. */
export type DeletedRecords = readonly Readonly<{
  partition: string;
  sort: string;
  expect?: number;
}>[];

/** false if the record is no longer at `version` (0: none), or one of `deleted`, which go with it. */
export const writeRemoval = (
  { store }: Store,
  stream: StreamIdentity,
  removal: Removal,
  version: number,
  deleted: DeletedRecords = [],
): Promise<boolean> =>
  store.write([
    put(partitionOf(stream), removalSort(removal.id), removal, version),
    ...deleted.map((item): Write => ({ type: 'delete', ...item })),
  ]);

/** Notes that the job is queued; false if it was a shorter time ago than `forMs`, or by another process now. */
export async function claimRetention(
  { store }: Store,
  stream: StreamIdentity,
  nowMs: number,
  forMs: number,
): Promise<boolean> {
  const [partition, sort] = [partitionOf(stream), 'retention'];
  const found = await find<{ queuedAtMs: number }>(store, partition, sort);
  const ageMs = nowMs - (found?.value.queuedAtMs ?? Number.NEGATIVE_INFINITY);
  // One from the future is from before the clock was set back.
  if (ageMs >= 0 && ageMs < forMs) return false;
  return store.write([put(partition, sort, { queuedAtMs: nowMs }, found?.version ?? 0)]);
}

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
