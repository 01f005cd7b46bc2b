/** Whether segments arrive as fast as they play. Pure. */

import type { LoaderStats } from 'hls.js';

/** Times in milliseconds on the page's clock; 0: not yet. */
export type SegmentLoad = Readonly<{
  stats: Readonly<Pick<LoaderStats, 'aborted'>> &
    Readonly<{ loading: Readonly<Pick<LoaderStats['loading'], 'first' | 'end'>> }>;
  durationSeconds: number;
}>;

/**
 * The longest time from first byte to last, so far where the last has not come, as a share of the
 * segment's duration. The wait for the first byte is the server's, and does not count.
 */
export function loadShareOf(loads: Iterable<SegmentLoad>, nowMs: number): number {
  let longest = 0;
  for (const { stats, durationSeconds } of loads) {
    const { first, end } = stats.loading;
    if (first === 0 || (stats.aborted && end === 0)) continue;
    const seconds = ((end === 0 ? nowMs : end) - first) / 1000;
    longest = Math.max(longest, seconds / durationSeconds);
  }
  return longest;
}
