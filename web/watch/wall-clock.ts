/** Between positions of the player and the stream's wall clock, by EXT-X-PROGRAM-DATE-TIME. Pure. */

import type { Fragment } from 'hls.js';

/** `programDateTime`: Unix time in milliseconds; null where the playlist has none. */
export type ClockedSegment = Readonly<Pick<Fragment, 'start' | 'duration' | 'programDateTime'>>;

/**
 * The position in seconds; of an instant in a pause between two encoder runs, where the later one begins.
 * undefined before the first segment, and from the end of the last on.
 */
export function positionAt(
  segments: readonly ClockedSegment[],
  instantMs: number,
): number | undefined {
  const index = segments.findLastIndex(
    ({ programDateTime }) => programDateTime !== null && programDateTime <= instantMs,
  );
  const segment = segments[index];
  if (!segment || segment.programDateTime === null) return undefined;
  const into = (instantMs - segment.programDateTime) / 1000;
  if (into < segment.duration) return segment.start + into;
  return segments[index + 1]?.start;
}

/** Unix time in milliseconds; undefined outside of the segments. */
export function instantAt(
  segments: readonly ClockedSegment[],
  position: number,
): number | undefined {
  const segment = segments.find(
    ({ start, duration }) => position >= start && position < start + duration,
  );
  if (!segment || segment.programDateTime === null) return undefined;
  return segment.programDateTime + (position - segment.start) * 1000;
}
