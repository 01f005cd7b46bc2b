/** Media time: integer ticks of the 90 kHz clock that MPEG-TS, HLS and our CMAF tracks share. */

export const TICKS_PER_SECOND = 90_000;

/** MPEG-TS timestamps have 33 bits and start over after 26.5 hours (ISO/IEC 13818-1, 2.4.3.7). */
export const PTS_WRAP_TICKS = 2 ** 33;

/**
 * Added to every source timestamp, so that audio priming (one AAC frame early) and decode times
 * of B-frames never fall below zero, which `tfdt` cannot hold (ISO/IEC 14496-12, 8.8.12).
 */
export const TIMELINE_OFFSET_TICKS = 10 * TICKS_PER_SECOND;

export const ticksToSeconds = (ticks: number): number => ticks / TICKS_PER_SECOND;
export const ticksToMs = (ticks: number): number => ticks / 90;
export const secondsToTicks = (seconds: number): number => Math.round(seconds * TICKS_PER_SECOND);

/** The multiple of 2^33 to add to `ticks` that brings it nearest to `nearTicks` (already unwrapped). */
export const unwrapOffset = (ticks: number, nearTicks: number): number =>
  Math.round((nearTicks - ticks) / PTS_WRAP_TICKS) * PTS_WRAP_TICKS;
