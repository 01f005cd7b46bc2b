/** Keeps the tiles of a wall at one instant of the wall clock. Pure. Times in milliseconds, instants in Unix time. */

export type WallClock = Readonly<{
  /** At the live edge of the slowest stream, or where the viewer has moved it. */
  mode: 'live' | 'past';
  /** How far the pictures are behind now; undefined until a stream has told. */
  delayMs: number | undefined;
  /** The instant that is held while the wall is paused. */
  pausedAtMs: number | undefined;
  /** For how long tiles that load have been waited for. */
  waitedMs: number;
}>;

export const LIVE_CLOCK: WallClock = {
  mode: 'live',
  delayMs: undefined,
  pausedAtMs: undefined,
  waitedMs: 0,
};

/** A stream that is so much slower than most has a wrong clock, or a trouble of its own. */
const MAX_SPREAD_MS = 30_000;
/** Live delays vary by less from one playlist to the next. */
const SLACK_MS = 1000;
/** Faster would be heard. */
const CATCH_UP_SHARE = 0.04;
/** A tile that loads for longer has a trouble of its own. */
const MAX_WAIT_MS = 4000;

/** The instant that all tiles should show; undefined until a stream has told. */
export const targetOf = ({ pausedAtMs, delayMs }: WallClock, nowMs: number): number | undefined =>
  pausedAtMs ?? (delayMs === undefined ? undefined : nowMs - delayMs);

/** The delay of the slowest stream, but for those that are far off. */
export function slowestDelay(delaysMs: readonly number[]): number | undefined {
  const sorted = delaysMs.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  return middle === undefined
    ? undefined
    : sorted.findLast((delayMs) => delayMs <= middle + MAX_SPREAD_MS);
}

export type Surroundings = Readonly<{
  elapsedMs: number;
  /** How far behind now each live stream can play without a stall. */
  liveDelaysMs: readonly number[];
  /** A tile that has media at the target loads it. */
  isLoading: boolean;
}>;

/** At the live edge the slowest stream counts at once, and its going little by little; elsewhere loading tiles are waited for. */
export function advance(clock: WallClock, around: Surroundings): WallClock {
  const { elapsedMs, liveDelaysMs, isLoading } = around;
  const { mode, delayMs, pausedAtMs, waitedMs } = clock;
  if (pausedAtMs !== undefined) return clock;
  if (mode === 'past') {
    if (delayMs === undefined || !isLoading) return { ...clock, waitedMs: 0 };
    if (waitedMs >= MAX_WAIT_MS) return clock;
    return { ...clock, delayMs: delayMs + elapsedMs, waitedMs: waitedMs + elapsedMs };
  }
  const neededMs = slowestDelay(liveDelaysMs);
  if (neededMs === undefined) return clock;
  if (delayMs === undefined || neededMs > delayMs) return { ...clock, delayMs: neededMs };
  if (neededMs > delayMs - SLACK_MS) return clock;
  return { ...clock, delayMs: Math.max(neededMs, delayMs - CATCH_UP_SHARE * elapsedMs) };
}

/** To another instant, paused or not as before; to the live edge when it lies no further back than that. */
export function moveTo(
  clock: WallClock,
  instantMs: number,
  nowMs: number,
  liveDelaysMs: readonly number[],
): WallClock {
  const edgeMs = slowestDelay(liveDelaysMs);
  const isLive = edgeMs !== undefined && nowMs - instantMs <= edgeMs + SLACK_MS;
  const isPaused = clock.pausedAtMs !== undefined;
  if (isLive && !isPaused) return { ...LIVE_CLOCK, delayMs: edgeMs };
  const delayMs = nowMs - instantMs;
  return { mode: 'past', delayMs, waitedMs: 0, pausedAtMs: isPaused ? instantMs : undefined };
}

export const pauseClock = (clock: WallClock, nowMs: number): WallClock => ({
  ...clock,
  mode: 'past',
  pausedAtMs: targetOf(clock, nowMs),
});

/** Goes on from the instant that was held. */
export const resumeClock = (clock: WallClock, nowMs: number): WallClock =>
  clock.pausedAtMs === undefined
    ? clock
    : { mode: 'past', delayMs: nowMs - clock.pausedAtMs, pausedAtMs: undefined, waitedMs: 0 };

/** What a tile does about its distance from the target: `seek` there, or play at a rate. */
export type Correction = Readonly<{ type: 'seek' }> | Readonly<{ type: 'rate'; rate: number }>;

/** A third of a picture at 30 pictures per second. */
const EXACT_SECONDS = 0.011;
const SEEK_SECONDS = 1;
/** Half of an error goes in a second. */
const GAIN = 0.7;
const MAX_SHIFT = { muted: 0.2, audible: CATCH_UP_SHARE } as const;

/** `errorSeconds`: how far the tile is ahead of the target. */
export function correctionOf(
  errorSeconds: number,
  { isPaused, isAudible }: Readonly<{ isPaused: boolean; isAudible: boolean }>,
): Correction {
  const distance = Math.abs(errorSeconds);
  if (distance > (isPaused ? EXACT_SECONDS / 10 : SEEK_SECONDS)) return { type: 'seek' };
  if (distance <= EXACT_SECONDS) return { type: 'rate', rate: 1 };
  const most = MAX_SHIFT[isAudible ? 'audible' : 'muted'];
  const shift = Math.min(most, GAIN * distance) * Math.sign(errorSeconds);
  return { type: 'rate', rate: Math.round((1 - shift) * 1000) / 1000 };
}
