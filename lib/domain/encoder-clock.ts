/** The wall clock of an encoder, as its playlist or its uploads tell it. Pure. */

/** Clocks of machines that nobody sets are some seconds apart. */
const MAX_AHEAD_MS = 5000;

/** What waits in a spool is hours or weeks old; a clock that was never set is years behind. */
const MAX_AGE_MS = 31 * 24 * 3600_000;

/**
 * Whether a segment that arrives at `nowMs` can have begun at `saidMs` (both since 1970). One that was
 * not has the time of its arrival: a segment of the future would stand before the live edge of all
 * clocks, and one of 1970 could not be found by its time.
 */
export const isPlausibleTime = (saidMs: number, nowMs: number): boolean =>
  saidMs <= nowMs + MAX_AHEAD_MS && saidMs >= nowMs - MAX_AGE_MS;
