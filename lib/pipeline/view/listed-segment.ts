/** What a media playlist says of an entry. */

import type { MarkerTag } from '../../domain/marker-log.ts';
import { mediaPrefix } from '../../domain/object-keys.ts';
import type { ListedPiece } from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import { formatDateRange } from '../../playlist/hls-date-range.ts';
import type { MediaSegment } from '../../playlist/hls-media.ts';

/** EXT-X-DATERANGE of each. */
export const linesOf = (tags: readonly MarkerTag[]): string =>
  tags.map(({ rangeId, marker }) => formatDateRange(rangeId, marker)).join('');

/** Of an object's key. */
export const uriOf = (key: string): string => `/${key}`;

/** Audio does not end where the video does: its playlist says its own times. */
export function segmentOf(
  stream: Stream,
  entry: RecordedEntry,
  { piece, gap, initKey }: ListedPiece,
): MediaSegment {
  const { startTicks = entry.startTicks, durationTicks = entry.durationTicks } = piece ?? gap ?? {};
  const gapKey = `${mediaPrefix(stream)}gap/${entry.run}-${entry.number}-${entry.startTicks}.m4s`;
  return {
    uri: uriOf(piece?.key ?? gapKey),
    mapUri: uriOf(initKey),
    durationTicks,
    programDateTimeMs: entry.programDateTimeMs + ticksToMs(startTicks - entry.startTicks),
    discontinuity: entry.discontinuity,
    gap: piece === undefined,
  };
}
