/** Records of closed captions in the video: the bytes of each segment, apart from its outcome, as few readers want them. */

import type { CaptionPair } from '../../domain/captions/closed-captions.ts';
import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { RecordStore } from '../../ports/ports.ts';
import { put } from './record-access.ts';
import { digits, partitionOf } from './record-keys.ts';

type Store = Readonly<{ store: RecordStore }>;

type ClosedCaptions = Readonly<{ startTicks: number; pairs: string }>;

export const closedCaptionsSort = (run: number, number: number): string =>
  `closed-captions/${run}/${digits(number)}`;

/** Times are those of the timeline. */
export async function putClosedCaptions(
  { store }: Store,
  stream: StreamIdentity,
  { run, number }: Readonly<{ run: number; number: number }>,
  pairs: readonly CaptionPair[],
): Promise<void> {
  const [{ ticks: startTicks } = { ticks: 0 }] = pairs;
  const value: ClosedCaptions = { startTicks, pairs: packPairs(pairs, startTicks) };
  await store.write([put(partitionOf(stream), closedCaptionsSort(run, number), value)]);
}

/** `before`: the number up to which there may be more; undefined: there are none. */
export type FoundPairs = Readonly<{ pairs: readonly CaptionPair[]; before: number | undefined }>;

/** Of a segment and those before it in its run, `limit` of those that have any, in their order. */
export async function closedCaptionsUpTo(
  { store }: Store,
  stream: StreamIdentity,
  run: number,
  number: number,
  limit: number,
): Promise<FoundPairs> {
  const range = {
    from: closedCaptionsSort(run, 0),
    to: closedCaptionsSort(run, number),
    limit,
    descending: true,
  };
  const items = await store.query(partitionOf(stream), range);
  const oldest = items.length < limit ? undefined : items.at(-1);
  const first =
    oldest && Number(oldest.sort.slice(closedCaptionsSort(run, 0).lastIndexOf('/') + 1));
  const pairs = items
    .reverse()
    .map(({ value }) => value as ClosedCaptions)
    .flatMap(({ startTicks, pairs }) => unpackPairs(pairs, startTicks));
  return { pairs, before: first ? first - 1 : undefined };
}

const PAIR_BYTES = 7;

/** Base64, for a record: of each pair the time from `startTicks`, its field, and itself. */
function packPairs(pairs: readonly CaptionPair[], startTicks: number): string {
  const packed = Buffer.alloc(pairs.length * PAIR_BYTES);
  for (const [index, { ticks, field, bytes }] of pairs.entries()) {
    const at = index * PAIR_BYTES;
    packed.writeInt32BE(ticks - startTicks, at);
    packed.set([field, ...bytes], at + 4);
  }
  return packed.toString('base64');
}

function unpackPairs(packed: string, startTicks: number): CaptionPair[] {
  const bytes = Buffer.from(packed, 'base64');
  return Array.from({ length: Math.floor(bytes.length / PAIR_BYTES) }, (_, index) => {
    const at = index * PAIR_BYTES;
    const [field, one = 0, two = 0] = bytes.subarray(at + 4, at + PAIR_BYTES);
    const ticks = startTicks + bytes.readInt32BE(at);
    return { ticks, field: field === 1 ? 1 : 2, bytes: [one, two] };
  });
}
