/** The posters of a stream: a still picture for lists and for previews of links. Pure. */

import { TICKS_PER_SECOND } from '../ticks.ts';

export const POSTER_INTERVAL_TICKS = 30 * TICKS_PER_SECOND;

/** Of both sides; smaller pictures keep their size. */
export const MAX_POSTER_PX = 640;

export const JPEG_CONTENT_TYPE = 'image/jpeg';

/**
 * Whether a segment begins a new half minute, counted from `anchorTicks`, where the run's first segment
 * begins. Each segment knows it by itself, whatever became of those before.
 */
export function hasPoster(startTicks: number, endTicks: number, anchorTicks: number): boolean {
  const next = Math.ceil((startTicks - anchorTicks) / POSTER_INTERVAL_TICKS);
  return anchorTicks + next * POSTER_INTERVAL_TICKS < endTicks;
}
