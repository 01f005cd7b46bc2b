/** The entries of a clip, as they are read from the records. */

import {
  type ClipBounds,
  type ClipEntry,
  ClipSelection,
  checkBounds,
  isBehind,
  nothingThere,
} from '../../../domain/clip.ts';
import { DomainError } from '../../../domain/errors.ts';
import type { RecordedEntry } from '../../../domain/recording.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { Deps } from '../../deps.ts';
import { findFirstBehind } from '../../records/timeline-search.ts';
import { expired } from '../expired.ts';
import { parseTimestamp } from '../moments.ts';
import { isRemoved, recordedEntries, removedRanges } from '../recorded-entries.ts';

const PAGE = 500;

/** As the query gives them: seconds from the start of the stream, or instants. */
export type ClipQuery = Readonly<{ from?: string | undefined; to?: string | undefined }>;

/** Throws `bad_request`, `not_started`, and `moment_not_found` when a live stream has not reached the end of the clip. */
export function clipBounds({ from, to }: ClipQuery, state: TimelineState): ClipBounds {
  if (state.nextSequence === 0) {
    throw new DomainError(
      'not_started',
      'The stream has not started, so there is nothing to cut out of it.',
      'Ask again when it has: /viewstream/metadata/{videoId} tells.',
    );
  }
  const bounds = {
    from: from === undefined ? undefined : parseTimestamp(from),
    to: to === undefined ? undefined : parseTimestamp(to),
  };
  checkBounds(bounds, state);
  return bounds;
}

/** In order, as they are read; late arrivals have their place. None, where there is a gap or nothing. */
export async function* clipEntries(
  { records }: Pick<Deps, 'records'>,
  stream: Stream,
  state: TimelineState,
  bounds: ClipBounds,
): AsyncGenerator<ClipEntry> {
  const selection = new ClipSelection(bounds);
  const entries =
    state.lateArrivals > 0
      ? recordedEntries(records, stream, state)
      : listedEntries(records, stream, state, bounds);
  for await (const entry of entries) {
    if (isBehind(entry, bounds)) return;
    yield* selection.add(entry);
  }
}

/** Without late arrivals the recording is the timeline, where a search finds the first. */
async function* listedEntries(
  records: Deps['records'],
  stream: Stream,
  { nextSequence, kept }: TimelineState,
  { from: bound }: ClipBounds,
): AsyncGenerator<RecordedEntry> {
  const removed = await removedRanges(records, stream, kept);
  const first = bound ? await findFirstBehind(records, stream, nextSequence, bound) : 0;
  let next = first;
  // By number of entries, not by sequence: removed ones leave holes.
  for (let from = first; from < nextSequence; ) {
    const page = await records.entries(stream, from, nextSequence - 1, PAGE);
    for (const entry of page) {
      if (isRemoved(removed, entry)) continue;
      const follows = entry.sequence === next;
      next = entry.sequence + 1;
      yield follows ? entry : { ...entry, discontinuity: true };
    }
    from = page.length < PAGE ? nextSequence : (page.at(-1)?.sequence ?? nextSequence) + 1;
  }
}

/** Of a clip without any entry: `expired` if retention has removed it, else `moment_not_found`. */
export function emptyClip(stream: Stream, state: TimelineState, { to }: ClipBounds): DomainError {
  const { kept } = state;
  const isOver =
    kept &&
    (!to || ('instantMs' in to ? to.instantMs <= kept.floorMs : to.offsetTicks <= kept.floorTicks));
  return isOver ? expired(stream, kept) : nothingThere(state);
}
