/** Lists of a whole recording (`?view=vod`), several in one reading of its entries. */

import type { MarkerLog, MarkerTag } from '../../domain/markers/marker-log.ts';
import type { ListedPiece } from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import { isMarkerKept } from '../../domain/retention/retention.ts';
import { type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import { entryList } from './entry-lists.ts';
import { recordedEntries } from './recorded-entries.ts';

const ENTRIES_AT_ONCE = 500;

/** The next lines of every playlist, in the order of the names, and where they end in the recording. */
export type RecordingPart = Readonly<{ texts: readonly string[]; endTicks: number }>;

/** Of the markers that are left. */
export const recordedTags = (
  log: MarkerLog,
  stream: Stream,
  { kept }: TimelineState,
  nowMs: number,
): readonly MarkerTag[] =>
  kept
    ? log.tags().filter(({ marker }) => isMarkerKept(marker, stream.settings, kept.floorMs, nowMs))
    : log.tags();

export async function* recordingTexts(
  records: Parameters<typeof recordedEntries>[0],
  stream: Stream,
  state: TimelineState,
  names: readonly string[],
  tags: readonly MarkerTag[],
  /** Is given each entry, too. */
  also?: Readonly<{ add(entry: RecordedEntry): void }>,
): AsyncGenerator<RecordingPart> {
  const header = {
    targetDurationSeconds: targetDurationSeconds(stream.settings, state),
    mediaSequence: 0,
    discontinuitySequence: 0,
    playlistType: 'VOD' as const,
  };
  const lists = names.map((name) => {
    const list = entryList(stream, state, name, 'vod');
    // All of them before the first entry.
    const lines = [list.header(header) + list.markers(tags)];
    return { list, last: undefined as ListedPiece | undefined, lines };
  });
  let count = 0;
  let endTicks = 0;
  const take = (): RecordingPart => ({
    texts: lists.map((list) => list.lines.splice(0).join('')),
    endTicks,
  });
  for await (const entry of recordedEntries(records, stream, state)) {
    for (const one of lists) {
      const { text, listed } = one.list.list(entry, one.last);
      one.last = listed;
      one.lines.push(text);
    }
    also?.add(entry);
    endTicks = entry.offsetTicks + entry.durationTicks;
    count += 1;
    if (count % ENTRIES_AT_ONCE === 0) yield take();
  }
  for (const { list, lines } of lists) lines.push(list.end);
  yield take();
}
