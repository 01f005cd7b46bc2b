/** What has expired of a language that is uploaded on its own. Viewers play pieces of it, which go with their entries. */

import { onWallClock } from '../../../domain/languages/language-wait.ts';
import type { StreamIdentity } from '../../../domain/object-keys.ts';
import type { SourceSegment } from '../../../domain/segment.ts';
import type { Run } from '../../../domain/stream.ts';
import { ticksToMs } from '../../../domain/ticks.ts';
import type { WorkerDeps } from '../../deps.ts';
import { HIGHEST, partitionOf, segmentSort } from '../../records/record-keys.ts';

const PAGE = 100;

/** Behind the segments of a run, from its first on, that were over at an instant; undefined: there are none. */
export async function endOfExpired(
  { store }: Pick<WorkerDeps, 'store'>,
  track: StreamIdentity,
  { run, anchorMs, anchorTicks }: Run,
  expiredMs: number,
): Promise<number | undefined> {
  const range = { from: segmentSort(run, 0), to: `segment/${run}/${HIGHEST}`, limit: PAGE };
  const items = await store.query(partitionOf(track), range);
  const segments = items.map(({ value }) => value as SourceSegment);
  const zeroMs = anchorMs - ticksToMs(anchorTicks);
  const isOver = ({ facts, timestampOffsetTicks }: SourceSegment): boolean => {
    const startTicks = facts.startTicks + timestampOffsetTicks;
    const durationTicks = facts.endTicks - facts.startTicks;
    return onWallClock({ startTicks, durationTicks }, zeroMs).endMs <= expiredMs;
  };
  const later = segments.findIndex((segment) => !isOver(segment));
  const last = later < 0 ? segments.at(-1) : segments[later - 1];
  return last && last.number + 1;
}
