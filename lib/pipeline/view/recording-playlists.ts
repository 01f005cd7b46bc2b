/** Media playlists of a whole recording (`?view=vod`), those of several renditions in one reading of its entries. */

import type { MarkerLog, MarkerTag } from '../../domain/marker-log.ts';
import { silenceKey } from '../../domain/object-keys.ts';
import { type ListedPiece, pieceLister } from '../../domain/presentation.ts';
import { isMarkerKept } from '../../domain/retention.ts';
import { type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import { ENDLIST, formatHeader, formatSegment } from '../../playlist/hls-media.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import { linesOf, segmentOf, uriOf } from './listed-segment.ts';
import { recordedEntries } from './recorded-entries.ts';

const ENTRIES_AT_ONCE = 500;

/** The next lines of every playlist, in the order of the renditions, and where they end in the recording. */
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
  records: Pick<StreamRecords, 'entries' | 'lateArrivals' | 'removals'>,
  stream: Stream,
  state: TimelineState,
  renditions: readonly string[],
  tags: readonly MarkerTag[],
): AsyncGenerator<RecordingPart> {
  const header = formatHeader({
    targetDurationSeconds: targetDurationSeconds(stream.settings, state),
    mediaSequence: 0,
    discontinuitySequence: 0,
    playlistType: 'VOD',
  });
  const dateRanges = linesOf(tags);
  const lists = renditions.map((name) => ({
    listPiece: pieceLister(state, name, (...at) => silenceKey(stream, ...at)),
    last: undefined as ListedPiece | undefined,
    lines: [header + dateRanges],
  }));
  let count = 0;
  let endTicks = 0;
  const take = (): RecordingPart => ({
    texts: lists.map((list) => list.lines.splice(0).join('')),
    endTicks,
  });
  for await (const entry of recordedEntries(records, stream, state)) {
    for (const list of lists) {
      const before = list.last;
      list.last = list.listPiece(entry, before);
      const segment = segmentOf(stream, entry, list.last);
      list.lines.push(formatSegment(segment, before && uriOf(before.initKey)));
    }
    endTicks = entry.offsetTicks + entry.durationTicks;
    count += 1;
    if (count % ENTRIES_AT_ONCE === 0) yield take();
  }
  for (const { lines } of lists) lines.push(ENDLIST);
  yield take();
}
