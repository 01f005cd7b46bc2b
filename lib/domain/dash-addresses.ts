/** Addresses of the segments of an MPD: they say a time, and stand for an object, always the same one. */

import type { CaptionVersions } from './captions/caption.ts';
import type { ThumbnailGrid } from './pictures/thumbnails.ts';

/** What all segments of a Representation in one period have in common, beside its name. */
export type SegmentPlace = Readonly<{
  /** Of the stream: a videoId may be used again after it was deleted. */
  uid: string;
  run: number;
  discontinuities: number;
  /** Of the recording with so many pieces that came late in the place of silence. */
  latePieces?: number | undefined;
  /** Of captions. */
  captions?: CaptionVersions | undefined;
}>;

export type SegmentKind = 'media' | 'captions' | 'thumbnails';

const EXTENSIONS: Readonly<Record<SegmentKind, string>> = {
  media: 'm4s',
  captions: 'm4s',
  thumbnails: 'jpg',
};

const ROOT = '/viewstream/segment';

/** As SegmentTemplate@media has it. */
export function segmentTemplate(videoId: string, kind: SegmentKind, place: SegmentPlace): string {
  const { uid, run, discontinuities, latePieces, captions } = place;
  const rest = [
    ...(latePieces ? [`late${latePieces}`] : []),
    ...(captions
      ? ['version' in captions ? `version${captions.version}` : `since${captions.trackSince}`]
      : []),
  ];
  const period = [uid, run, discontinuities, ...rest].join('-');
  return `${ROOT}/${videoId}/$RepresentationID$/${period}/$Time$.${EXTENSIONS[kind]}`;
}

/** The last two parts of such an address; undefined for any other. */
export function parseSegmentAddress(
  period: string,
  segment: string,
): (SegmentPlace & Readonly<{ kind: SegmentKind; startTicks: number }>) | undefined {
  const place = period.match(
    /^(\w{1,40})-(\d{1,15})-(\d{1,15})(?:-(late|version|since)(\d{1,15}))?$/,
  );
  const [, startTicks, extension] = segment.match(/^(\d{1,15})\.(m4s|jpg)$/) ?? [];
  if (!place || startTicks === undefined) return undefined;
  const [, uid = '', run, discontinuities, word, count] = place;
  const number = Number(count);
  const captions =
    word === 'version'
      ? { version: number }
      : word === 'since'
        ? { trackSince: number }
        : undefined;
  return {
    ...{ uid, run: Number(run), discontinuities: Number(discontinuities) },
    ...(word === 'late' && { latePieces: number }),
    ...(captions && { captions }),
    kind: extension === 'jpg' ? 'thumbnails' : captions ? 'captions' : 'media',
    startTicks: Number(startTicks),
  };
}

/** Of a Representation, whose sprites are all divided alike. */
export const spritesName = ({ columns, widthPx, heightPx }: Omit<ThumbnailGrid, 'intervalTicks'>) =>
  `thumbnails-${columns}x1-${widthPx}x${heightPx}`;
