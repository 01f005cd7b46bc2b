/** Files of what is removed, found by their folders: no record names them, or only one that was never written. */

import {
  placeOfSegmentFile,
  postersOf,
  savedFilesPrefix,
  segmentFilesBetween,
} from '../../../domain/object-keys.ts';
import type { RemovedRange } from '../../../domain/retention/retention.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { WorkerDeps } from '../../deps.ts';
import { isRemoved } from '../../view/recorded-entries.ts';

/** A store on a disk reads the whole folder for each page. */
const PAGE = 10_000;

/** Each folder is read once, whatever is kept between the ranges. */
export async function removeSegmentFiles(
  { media }: WorkerDeps,
  stream: Stream,
  { renditions }: TimelineState,
  runs: readonly number[],
  ranges: readonly RemovedRange[],
  signal: AbortSignal,
): Promise<void> {
  for (const run of runs) {
    const own = ranges.filter(({ fromPlace, toPlace }) => {
      return fromPlace.run <= run && run <= toPlace.run;
    });
    const [first] = own;
    const last = own.at(-1);
    if (!first || !last) continue;
    const from = first.fromPlace.run === run ? first.fromPlace.number : 0;
    const to = last.toPlace.run === run ? last.toPlace.number : Number.POSITIVE_INFINITY;
    const folders = segmentFilesBetween(stream, Object.keys(renditions), run, from, to);
    for (const { prefix, before, after: start } of folders) {
      let after = start;
      for (let isMore = true; isMore; ) {
        signal.throwIfAborted();
        const keys = await media.list(prefix, { after, before, limit: PAGE });
        const removed = keys.filter((key) => {
          const place = placeOfSegmentFile(key.slice(prefix.length));
          return place !== undefined && isRemoved(ranges, place);
        });
        if (removed.length > 0) await media.delete(removed);
        isMore = keys.length === PAGE;
        after = keys.at(-1) ?? after;
      }
    }
  }
}

/** What may hold any of the recording. */
export async function removeWholeFiles(
  { media }: WorkerDeps,
  stream: Stream,
  { kept, poster }: TimelineState,
): Promise<void> {
  // Of what is left clips are made again when they are asked for.
  const found = [await media.list(savedFilesPrefix(stream))];
  if (!kept?.first) {
    const { prefix, ...posters } = postersOf(stream);
    found.push(await media.list(prefix, { ...posters, limit: PAGE }));
  }
  const keys = found.flat().filter((key) => key !== poster);
  if (keys.length > 0) await media.delete(keys);
}
