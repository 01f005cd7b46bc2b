/** The rung that a viewer's `resolution` means. Pure. */

import type { VideoRendition } from './presentation.ts';

/** No rung of ours, and no screen, is smaller. */
const MIN_SHORT_SIDE_PX = 16;

/**
 * The short side in pixels that a text names: `1080p`, `1080`, `1080p60` or `1920x1080`. undefined: it
 * names none.
 */
export function parseShortSide(text: string): number | undefined {
  const [, height, width = height, other = height] =
    text.match(/^(?:(\d{2,4})(?:p\d{0,3})?|(\d{2,5})x(\d{2,5}))$/i) ?? [];
  const px = Math.min(Number(width), Number(other));
  return px >= MIN_SHORT_SIDE_PX ? px : undefined;
}

/** The tallest that is no larger, the smallest if all are; undefined for a text that names no size. */
export function nearestBelow(
  video: readonly VideoRendition[],
  resolution: string,
): VideoRendition | undefined {
  const px = parseShortSide(resolution);
  if (px === undefined) return undefined;
  const shortSide = ({ widthPx, heightPx }: VideoRendition): number => Math.min(widthPx, heightPx);
  const largestFirst = video.toSorted((a, b) => shortSide(b) - shortSide(a));
  return largestFirst.find((rendition) => shortSide(rendition) <= px) ?? largestFirst.at(-1);
}
