/** Records of the clips that the owner of a stream keeps. */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { put } from './record-access.ts';
import { partitionOf } from './record-keys.ts';

/** A span of the stream's wall clock, Unix time in milliseconds; its end does not belong to it. */
export type SavedClip = Readonly<{ id: string; title?: string; fromMs: number; toMs: number }>;

type Store = Readonly<{ store: RecordStore }>;

export const clipSort = (id: string): string => `clip/${id}`;

export const putSavedClip = (
  { store }: Store,
  stream: StreamIdentity,
  clip: SavedClip,
): Promise<boolean> => store.write([put(partitionOf(stream), clipSort(clip.id), clip)]);

export async function savedClips({ store }: Store, stream: StreamIdentity): Promise<SavedClip[]> {
  const range = { from: clipSort(''), to: clipSort('~') };
  const items = await store.query(partitionOf(stream), range);
  return items.map(({ value }) => value as SavedClip);
}

export const removeSavedClip = (
  { store }: Store,
  stream: StreamIdentity,
  id: string,
): Promise<boolean> =>
  store.write([{ type: 'delete', partition: partitionOf(stream), sort: clipSort(id) }]);
