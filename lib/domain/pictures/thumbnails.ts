/**
 * Preview thumbnails: small pictures of what a segment shows, one row of them in one JPEG (a sprite), for
 * players to show while a viewer looks for a moment. Pure.
 */

import { TICKS_PER_SECOND } from '../ticks.ts';

/** How long each picture stands for what follows it, about. */
const INTERVAL_TICKS = 2 * TICKS_PER_SECOND;

/** Of both sides of one picture; about what a player's preview takes on a screen of two pixels to a point. */
export const MAX_THUMBNAIL_PX = 240;

/** How a sprite is divided. */
export type ThumbnailGrid = Readonly<{
  /** Pictures from left to right. */
  columns: number;
  /** Of one picture. */
  widthPx: number;
  heightPx: number;
  /** 90 kHz. Each shows the frame at the beginning of its span; the last span ends with the sprite's media. */
  intervalTicks: number;
}>;

/** The sprite of an entry, as it is stored. */
export type Thumbnails = ThumbnailGrid & Readonly<{ key: string; sizeBytes: number }>;

/** Pictures in each sprite of a segment that is cut into so many pieces; 1 at least. */
export const thumbnailColumns = (durationTicks: number, pieces: number): number =>
  Math.max(1, Math.round(durationTicks / pieces / INTERVAL_TICKS));

/** One picture of a sprite, and what it stands for: ticks from the beginning of the sprite's media. */
export type Thumbnail = Readonly<{ leftPx: number; startTicks: number; endTicks: number }>;

/** Those that begin before the media ends, which may be shorter than was planned. */
export function thumbnailsOf(
  { columns, widthPx, intervalTicks }: ThumbnailGrid,
  durationTicks: number,
): Thumbnail[] {
  const starts = Array.from({ length: columns }, (_, index) => index * intervalTicks).filter(
    (start) => start < durationTicks,
  );
  return starts.map((startTicks, index) => ({
    leftPx: index * widthPx,
    startTicks,
    endTicks: starts[index + 1] ?? durationTicks,
  }));
}
