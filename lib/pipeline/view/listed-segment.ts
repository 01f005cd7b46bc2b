/** What a media playlist says of an entry. */

import { captionVersionsAt } from '../../domain/captions/caption.ts';
import type { MarkerTag } from '../../domain/markers/marker-log.ts';
import { captionSegmentKey, mediaPrefix, silenceKey } from '../../domain/object-keys.ts';
import { type ListedPiece, pieceLister } from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import { isGap, type TimelineEntry, type TimelineState } from '../../domain/timeline.ts';
import { formatDateRange } from '../../playlist/hls-date-range.ts';
import type { MediaSegment } from '../../playlist/hls-media.ts';

/** EXT-X-DATERANGE of each. */
export const linesOf = (tags: readonly MarkerTag[]): string =>
  tags.map(({ rangeId, marker }) => formatDateRange(rangeId, marker)).join('');

/** Of an object's key. */
export const uriOf = (key: string): string => `/${key}`;

/** Lists entry by entry; `before`: what was listed right before. */
export type Lister = (
  entry: RecordedEntry & Pick<TimelineEntry, 'captionVersions'>,
  before?: Pick<ListedPiece, 'initKey'>,
) => ListedPiece;

/** Of a rendition, or a track of captions. `view`: live ones are printed with what was known by then. */
export function listerOf(
  stream: Stream,
  state: Pick<TimelineState, 'renditions' | 'captions' | 'discontinuities'>,
  name: string,
  view: 'live' | 'vod',
): Lister {
  const track = state.captions?.tracks[name];
  if (!track) return pieceLister(state, name, (...at) => silenceKey(stream, ...at));
  const newest = state.captions?.version ?? 0;
  const versions = view === 'vod' ? { version: newest } : { trackSince: track.since };
  const { channel } = track;
  return (entry) => {
    // Where its period ends is not known live, when the entry is listed.
    const isOver = entry.discontinuities < state.discontinuities;
    const isCut = view === 'vod' && entry.sequence !== undefined && isOver && channel === undefined;
    const segment = { entry, ...captionVersionsAt(entry, versions), isCut };
    const piece = { key: captionSegmentKey(stream, name, segment), initKey: '', sizeBytes: 0 };
    return { rendition: name, piece: isGap(entry) ? undefined : piece, initKey: '' };
  };
}

/** Nothing is behind it. */
const gapUri = (stream: Stream, { run, number, startTicks }: RecordedEntry, extension: string) =>
  uriOf(`${mediaPrefix(stream)}gap/${run}-${number}-${startTicks}.${extension}`);

/** Audio does not end where the video does: its playlist says its own times. */
export function segmentOf(
  stream: Stream,
  entry: RecordedEntry,
  { piece, gap, initKey }: ListedPiece,
): MediaSegment {
  const { startTicks = entry.startTicks, durationTicks = entry.durationTicks } = piece ?? gap ?? {};
  return {
    uri: piece ? uriOf(piece.key) : gapUri(stream, entry, 'm4s'),
    mapUri: initKey === '' ? undefined : uriOf(initKey),
    durationTicks,
    programDateTimeMs: entry.programDateTimeMs + ticksToMs(startTicks - entry.startTicks),
    discontinuity: entry.discontinuity,
    gap: piece === undefined,
  };
}

/** The first frame of a piece. What has not recorded where it ends is a gap. */
export function keyframeOf(
  stream: Stream,
  entry: RecordedEntry,
  listed: ListedPiece,
): MediaSegment {
  const firstBytes = listed.piece?.keyframeBytes;
  if (firstBytes === undefined) return segmentOf(stream, entry, { ...listed, piece: undefined });
  return { ...segmentOf(stream, entry, listed), firstBytes };
}

export function imageOf(stream: Stream, entry: RecordedEntry): MediaSegment {
  const { thumbnails, durationTicks, programDateTimeMs, discontinuity } = entry;
  return {
    ...{ durationTicks, programDateTimeMs, discontinuity },
    uri: thumbnails ? uriOf(thumbnails.key) : gapUri(stream, entry, 'jpg'),
    tiles: thumbnails,
    gap: thumbnails === undefined,
  };
}
