/** When a segment that arrives too slowly is given up for one of a lower rung. Pure. */

export type RunningLoad = Readonly<{
  /** Rung that it is of, as an index of `rungsBps`. */
  rung: number;
  durationSeconds: number;
  receivedBytes: number;
  totalBytes: number;
  /** Since the first byte. */
  seconds: number;
}>;

/** Earlier the measured rate says little. */
const MIN_SECONDS = 0.75;

/**
 * The rung to load instead: the highest that arrives before `bufferSeconds` have been played, else the
 * lowest if that is sooner than the rest of the segment. Undefined: go on. `rungsBps`: lowest first.
 */
export function rungInstead(
  load: RunningLoad,
  bufferSeconds: number,
  rungsBps: readonly number[],
): number | undefined {
  const { rung, durationSeconds, receivedBytes, totalBytes, seconds } = load;
  if (seconds < MIN_SECONDS) return undefined;
  const bps = (8 * Math.max(1, receivedBytes)) / seconds;
  const restSeconds = (8 * (totalBytes - receivedBytes)) / bps;
  if (restSeconds < bufferSeconds) return undefined;
  const lower = rungsBps.slice(0, rung);
  const secondsOf = (rungBps: number): number => (rungBps * durationSeconds) / bps;
  const best = lower.findLastIndex((rungBps) => secondsOf(rungBps) < bufferSeconds);
  if (best >= 0) return best;
  const [lowest] = lower;
  return lowest !== undefined && secondsOf(lowest) < restSeconds ? 0 : undefined;
}
