/** What players can show while a viewer looks for a moment: keyframes alone, and preview thumbnails. Pure. */

import type { VideoRendition } from '../presentation.ts';
import { averageBps } from '../rates.ts';
import type { RenditionTotals, TimelineState } from '../timeline.ts';

type Rates = Readonly<{ peakBps: number; averageBps: number }>;

/** The keyframes of a video rendition, by byte ranges of its segments. */
export type KeyframeStream = Rates &
  Pick<VideoRendition, 'codecString' | 'widthPx' | 'heightPx'> &
  Readonly<{ rendition: string }>;

/** The preview thumbnails; the size is that of one picture. */
export type ThumbnailStream = Rates & Readonly<{ widthPx: number; heightPx: number }>;

/** Header and index of a segment, up to its first frame: about 12 bytes a frame. */
const HEADER_BITS = 8 * 150;
const INDEX_BITS_PER_FRAME = 8 * 12;
/** An encoder's buffer is half full at the start of a segment, and holds what it may send in a second. */
const MAX_KEYFRAME_SECONDS = 0.5;

/**
 * Of those renditions whose entries have recorded them, in the given order. Of a live stream the rates are
 * what the encoder's limit allows with a keyframe every half target duration, and no more than the whole
 * rendition's.
 */
export const keyframeStreams = (
  video: readonly VideoRendition[],
  renditions: Readonly<Record<string, RenditionTotals>>,
  targetSeconds: number,
  isLive: boolean,
): KeyframeStream[] =>
  video.flatMap(({ name, codecString, widthPx, heightPx, framesPerSecond, peakBps }) => {
    const { keyframes, maxrateBps, info } = renditions[name] ?? {};
    if (!keyframes) return [];
    const ownMaxrate = info?.kind === 'video' ? (info.maxrateBps ?? 0) : 0;
    const keyframeBits = (maxrateBps ?? ownMaxrate) * MAX_KEYFRAME_SECONDS + HEADER_BITS;
    const limitBps = keyframeBits / (targetSeconds / 2) + INDEX_BITS_PER_FRAME * framesPerSecond;
    const boundBps = Math.ceil(Math.min(peakBps, limitBps));
    return [
      {
        ...{ rendition: name, codecString, widthPx, heightPx },
        peakBps: isLive ? Math.max(keyframes.peakBps, boundBps) : keyframes.peakBps,
        averageBps: averageBps(keyframes),
      },
    ];
  });

/** Nothing limits the size of a picture, and a stream may begin with a plain one. */
const HEADROOM = 2;
const LIKELY_THUMBNAILS_BPS = 50_000;

/** undefined: the stream has none. */
export function thumbnailStream(
  thumbnails: TimelineState['thumbnails'],
  isLive: boolean,
): ThumbnailStream | undefined {
  if (!thumbnails) return undefined;
  const { widthPx, heightPx, peakBps } = thumbnails;
  return {
    ...{ widthPx, heightPx },
    peakBps: isLive ? Math.max(LIKELY_THUMBNAILS_BPS, HEADROOM * peakBps) : peakBps,
    averageBps: averageBps(thumbnails),
  };
}

/** Playlists of a stream besides those of its renditions, as their addresses call them. */
export const keyframesOf = (rendition: string): string => `${rendition}.iframes`;
export const THUMBNAIL_IMAGES = 'thumbnails.images';
/** Not a playlist: an index of them in WebVTT. */
export const THUMBNAIL_INDEX = 'thumbnails.vtt';

/** The rendition whose keyframes the playlist of this name lists; undefined for any other. */
export const renditionOfKeyframes = (list: string): string | undefined =>
  list.match(/^([^.]+)\.iframes$/)?.[1];

/** Names of all lists of a stream's entries. */
export const listsOf = ({
  renditions,
  captions,
  thumbnails,
}: Pick<TimelineState, 'renditions' | 'captions' | 'thumbnails'>): string[] => [
  ...Object.keys({ ...renditions, ...captions?.tracks }),
  ...Object.entries(renditions).flatMap(([name, { keyframes }]) =>
    keyframes ? [keyframesOf(name)] : [],
  ),
  ...(thumbnails ? [THUMBNAIL_IMAGES, THUMBNAIL_INDEX] : []),
];
