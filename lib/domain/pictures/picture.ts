/** Pictures of a moment, as viewers ask for them. Pure. */

import { DomainError } from '../errors.ts';
import type { Presentation, VideoRendition } from '../presentation.ts';

/** Few, so that caches hold them: what is between is for the page to scale. */
export const PICTURE_WIDTHS = [160, 320, 640, 1280, 1920] as const;
const DEFAULT_WIDTH = 640;

/** Of the query. Throws `bad_request`. */
export function parsePictureWidth(text?: string): number {
  const width = text === undefined ? DEFAULT_WIDTH : Number(text);
  const known = PICTURE_WIDTHS.find((one) => one === width);
  if (known !== undefined) return known;
  throw new DomainError(
    'bad_request',
    `Pictures are not made ${JSON.stringify(text)} pixels wide.`,
    `Ask for width=${PICTURE_WIDTHS.join(', ')}, or leave it out.`,
  );
}

/** The objects of a moment have gone, which its entry still names. */
export const pieceIsGone = (): DomainError =>
  new DomainError(
    'moment_not_found',
    'The segment of this moment is not kept.',
    'Ask for a later moment.',
  );

/** The smallest rendition that is as wide, else the widest; undefined of a stream without video. */
export const renditionForPicture = (
  { video }: Pick<Presentation, 'video'>,
  widthPx: number,
): VideoRendition | undefined =>
  video.findLast((rendition) => rendition.widthPx >= widthPx) ?? video[0];

/**
 * Index of the frame that is on the screen at a moment, among the times of all frames in the order in which
 * they are shown; the first before its time.
 */
export const frameAt = (timesTicks: readonly number[], atTicks: number): number =>
  Math.max(
    0,
    timesTicks.findLastIndex((ticks) => ticks <= atTicks),
  );
