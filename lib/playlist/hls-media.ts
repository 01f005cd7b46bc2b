/** Media playlists as text (RFC 8216bis, 4.4.3 and 4.4.4). */

import type { ThumbnailGrid } from '../domain/pictures/thumbnails.ts';
import { TICKS_PER_SECOND } from '../domain/ticks.ts';
import { checkedUri } from './hls-attributes.ts';

export type MediaSegment = Readonly<{
  /** Also of a gap, where nothing is behind it (4.4.4.7). */
  uri: string;
  /** EXT-X-MAP; of a gap: the one that the segments around it have. undefined: it needs none, as captions and images. */
  mapUri?: string | undefined;
  /** The segment is no more of its file than so many bytes from its start. */
  firstBytes?: number | undefined;
  /** The segment is an image of several pictures. */
  tiles?: ThumbnailGrid | undefined;
  /** 90 kHz. */
  durationTicks: number;
  programDateTimeMs: number;
  /** EXT-X-DISCONTINUITY stands before this segment. */
  discontinuity: boolean;
  gap: boolean;
}>;

/** All but the segments, for a cache that keeps the segments' text. */
export type MediaPlaylistHeader = Readonly<{
  /** Rounded up to whole seconds, which the tag must be. */
  targetDurationSeconds: number;
  /** Of the first segment listed. */
  mediaSequence: number;
  /** Discontinuities before the first segment listed, not counting one that stands right before it. */
  discontinuitySequence: number;
  playlistType?: 'EVENT' | 'VOD';
  /** Where players begin: seconds from the start of the playlist. */
  startSeconds?: number | undefined;
  /** Each segment is one keyframe (RFC 8216bis, 4.4.3.6), or an image (HLS Image Media Playlist). */
  only?: 'keyframes' | 'images';
}>;

/**
 * EXT-X-MAP asks for 6 (RFC 8216bis, 8), early drafts ask for 8 beside EXT-X-GAP. Always the same, as a
 * live playlist must not change its tags when a gap comes or goes.
 */
const VERSION = 8;

/** EXT-X-START (4.4.2.2): what lies before it in its segment is not to be shown. */
const formatStart = (seconds: number): string =>
  `#EXT-X-START:TIME-OFFSET=${Number(seconds.toFixed(6))},PRECISE=YES\n`;

export const ENDLIST = '#EXT-X-ENDLIST\n';

const KINDS = {
  keyframes: '#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-I-FRAMES-ONLY\n',
  images: '#EXT-X-IMAGES-ONLY\n',
};

/**
 * The lines before the first segment. EXT-X-DISCONTINUITY-SEQUENCE always: a window that lists a
 * discontinuity may slide only if the tag was there before (6.2.2).
 */
export const formatHeader = (header: MediaPlaylistHeader): string =>
  `#EXTM3U
#EXT-X-VERSION:${VERSION}
${header.only ? KINDS[header.only] : '#EXT-X-INDEPENDENT-SEGMENTS\n'}\
${header.startSeconds === undefined ? '' : formatStart(header.startSeconds)}\
#EXT-X-TARGETDURATION:${Math.ceil(header.targetDurationSeconds)}
${header.playlistType ? `#EXT-X-PLAYLIST-TYPE:${header.playlistType}\n` : ''}\
#EXT-X-MEDIA-SEQUENCE:${header.mediaSequence}
#EXT-X-DISCONTINUITY-SEQUENCE:${header.discontinuitySequence}
`;

/**
 * The lines of one segment. `previousMapUri` is that of the segment listed before it, undefined for
 * the first: so the text of a segment changes when it becomes the first of a sliding window.
 */
export function formatSegment(segment: MediaSegment, previousMapUri: string | undefined): string {
  const { uri, mapUri, discontinuity, firstBytes, tiles } = segment;
  // A player that restarts at a discontinuity finds the init segment right there.
  const map =
    mapUri !== undefined && (discontinuity || mapUri !== previousMapUri)
      ? `#EXT-X-MAP:URI="${checkedUri(mapUri)}"\n`
      : '';
  // MAP comes first: hls.js (1.7) takes the tags before it for the init segment's and loses EXT-X-GAP.
  return `${discontinuity ? '#EXT-X-DISCONTINUITY\n' : ''}${map}\
#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(segment.programDateTimeMs)).toISOString()}
${segment.gap ? '#EXT-X-GAP\n' : ''}\
#EXTINF:${decimalSeconds(segment.durationTicks)},
${firstBytes === undefined ? '' : `#EXT-X-BYTERANGE:${firstBytes}@0\n`}\
${tiles ? formatTiles(tiles) : ''}\
${checkedUri(uri)}
`;
}

const formatTiles = ({ widthPx, heightPx, columns, intervalTicks }: ThumbnailGrid): string =>
  `#EXT-X-TILES:RESOLUTION=${widthPx}x${heightPx},LAYOUT=${columns}x1,DURATION=${decimalSeconds(intervalTicks)}\n`;

const MICROS_PER_SECOND = 1_000_000;

/**
 * Microseconds, the nearest to the ticks: they give the very tick back when read, and players, who
 * add up durations, are less than 2 ms off after an hour of one-second segments.
 */
function decimalSeconds(ticks: number): string {
  const micros = Math.round((ticks * MICROS_PER_SECOND) / TICKS_PER_SECOND);
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  const fraction = micros - seconds * MICROS_PER_SECOND;
  if (fraction === 0) return String(seconds);
  return `${seconds}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
}
