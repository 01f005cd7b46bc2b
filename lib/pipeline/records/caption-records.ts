/** Records of captions: each set of cues with its newest revision, and the changes that viewers are shown. */

import type { CaptionTrack, CueSet } from '../../domain/captions/caption.ts';
import type { CaptionChange } from '../../domain/captions/caption-log.ts';
import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { RecordStore, Write } from '../../ports/ports.ts';
import { find, put } from './record-access.ts';
import { digits, HIGHEST, partitionOf } from './record-keys.ts';
import type { Versioned } from './record-types.ts';

type Store = Readonly<{ store: RecordStore }>;

/** A set of cues as it was sent; written by the API, and by the publisher when viewers are shown it. */
export type CueSetRecord = Readonly<{
  track: CaptionTrack;
  /** In itself, or the key of its object if it is large; absent: it was removed. */
  content?: CueSet | Readonly<{ key: string }>;
  weight: number;
  /** Of what was sent, to know it when it comes again. */
  digest: string;
  revision: number;
  /** The revision that viewers are shown; 0: none. */
  publishedRevision: number;
}>;

/** Within a stream: by its track, and its name there. */
export type CueSetName = Readonly<{ track: string; set: string }>;

export const cueSetSort = ({ track, set }: CueSetName): string => `captions/${track}/${set}`;
export const captionChangeSort = (version: number): string => `captions-change/${digits(version)}`;

export const findCueSet = (
  { store }: Store,
  stream: StreamIdentity,
  name: CueSetName,
): Promise<Versioned<CueSetRecord> | undefined> =>
  find<CueSetRecord>(store, partitionOf(stream), cueSetSort(name));

/** All or none; `version` 0: there must be none yet. */
export const writeCueSets = (
  { store }: Store,
  stream: StreamIdentity,
  sets: readonly Readonly<{ name: CueSetName; record: CueSetRecord; version: number }>[],
): Promise<boolean> =>
  store.write(
    sets.map(({ name, record, version }) =>
      put(partitionOf(stream), cueSetSort(name), record, version),
    ),
  );

/** Names of the sets of a track, in pages: at most `limit`, after one. */
export async function cueSetNames(
  { store }: Store,
  stream: StreamIdentity,
  track: string,
  limit: number,
): Promise<CueSetName[]> {
  const prefix = cueSetSort({ track, set: '' });
  // All sort keys that begin so: `0` comes right behind `/`.
  const range = { from: prefix, to: `${prefix.slice(0, -1)}0`, limit };
  const items = await store.query(partitionOf(stream), range);
  return items.map(({ sort }) => ({ track, set: sort.slice(prefix.length) }));
}

export const deleteCueSets = (
  { store }: Store,
  stream: StreamIdentity,
  names: readonly CueSetName[],
): Promise<boolean> =>
  store.write(
    names.map((name) => ({
      type: 'delete',
      partition: partitionOf(stream),
      sort: cueSetSort(name),
    })),
  );

/** With versions from `from` on, in their order. */
export async function captionChanges(
  { store }: Store,
  stream: StreamIdentity,
  from: number,
  limit: number,
): Promise<CaptionChange[]> {
  const range = { from: captionChangeSort(from), to: `captions-change/${HIGHEST}`, limit };
  const items = await store.query(partitionOf(stream), range);
  return items.map((item) => item.value as CaptionChange);
}

/** A set whose change is shown, and its record as it was read; absent: a whole track is removed. */
export type PublishedCaptions = Readonly<{
  change: CaptionChange;
  record?: Readonly<{ name: CueSetName; value: CueSetRecord; version: number }>;
}>;

/** Changes that one write holds: small sets are written twice, and a table's write takes 4 MB. */
export const MAX_PUBLISHED_SETS = 45;

/** Shows changes, all or none; false when the timeline's state or a set has changed since it was read. */
export function publishCaptionChanges(
  { store }: Store,
  stream: StreamIdentity,
  published: readonly PublishedCaptions[],
  timeline: Versioned<TimelineState>,
): Promise<boolean> {
  const partition = partitionOf(stream);
  return store.write([
    ...published.flatMap(({ change, record }): Write[] => [
      put(partition, captionChangeSort(change.version), change, 0),
      ...(record ? [put(partition, cueSetSort(record.name), record.value, record.version)] : []),
    ]),
    put(partition, 'head', timeline.value, timeline.version),
  ]);
}
