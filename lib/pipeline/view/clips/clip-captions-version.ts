/** Which version of the captions a clip has: what changes elsewhere in a live stream leaves its file as it is. */

import type { ClockSpan } from '../../../domain/captions/caption-log.ts';
import type { CaptionedEntry } from '../../../domain/captions/caption-placement.ts';
import type { ClipBounds } from '../../../domain/clip.ts';
import type { RecordedEntry } from '../../../domain/recording.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { Deps } from '../../deps.ts';
import { findFirstBehind } from '../../records/timeline-search.ts';
import type { CaptionLogs } from '../captions/caption-logs.ts';
import { liveEntry } from '../captions/captioned-entry.ts';
import { clipEntries } from './clip-entries.ts';

/** The newest that changed anything within the clip; undefined: the stream has no captions. `first`: entry of the clip. */
export async function clipCaptionsVersion(
  deps: Pick<Deps, 'records'>,
  logs: CaptionLogs,
  stream: Stream,
  state: TimelineState,
  bounds: ClipBounds,
  first: RecordedEntry,
): Promise<number | undefined> {
  const { version } = state.captions ?? {};
  if (!version) return version;
  const last = await lastEntry(deps, stream, state, bounds);
  const ends = [first, last ?? first].map((one) => liveEntry(deps, stream, state, one));
  const [begins, end] = await Promise.all(ends);
  if (!begins || !end) return version;
  return (await logs.of(stream, state, version)).newestIn(spansBetween(begins, end));
}

/** The last entry of the clip, or the one behind it. */
async function lastEntry(
  { records }: Pick<Deps, 'records'>,
  stream: Stream,
  state: TimelineState,
  bounds: ClipBounds,
): Promise<RecordedEntry | undefined> {
  const { nextSequence, lateArrivals, kept } = state;
  // Where entries were removed the last one is found by reading them.
  if (lateArrivals === 0 && !kept) {
    const { to } = bounds;
    const behind = to && (await findFirstBehind(records, stream, nextSequence, to));
    return records.entry(stream, Math.min(behind ?? nextSequence, nextSequence - 1));
  }
  let last: RecordedEntry | undefined;
  for await (const { entry } of clipEntries({ records }, stream, state, bounds)) last = entry;
  return last;
}

/** By each clock; those of runs begin anew with each. */
function spansBetween(first: CaptionedEntry, last: CaptionedEntry): ClockSpan[] {
  const runs = Array.from({ length: last.run - first.run + 1 }, (_, index) => first.run + index);
  const wallTicks = ({ programDateTimeMs }: CaptionedEntry) => Math.round(programDateTimeMs * 90);
  return [
    {
      clock: 'start',
      from: first.offsetTicks ?? 0,
      to: last.offsetTicks === undefined ? Infinity : last.offsetTicks + last.durationTicks,
    },
    { clock: 'wall', from: wallTicks(first), to: wallTicks(last) + last.durationTicks },
    ...runs.map(
      (run): ClockSpan => ({
        clock: `run ${run}`,
        from: run === first.run ? first.startTicks : 0,
        to: run === last.run ? last.startTicks + last.durationTicks : Infinity,
      }),
    ),
  ];
}
