/** When a segment's pictures begin and end, and how fast they follow. */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import type { SourceFrame } from './source-media.ts';

export type FrameTiming = Readonly<{
  startTicks: number;
  endTicks: number;
  framesPerSecond: number;
}>;

const STANDARD_RATES = [
  10,
  12,
  12.5,
  15_000 / 1001,
  15,
  20,
  24_000 / 1001,
  24,
  25,
  30_000 / 1001,
  30,
  48,
  50,
  60_000 / 1001,
  60,
  90,
  100,
  120_000 / 1001,
  120,
  240,
];
/** Half of what 29.97 and 30 lie apart. */
const RATE_TOLERANCE = 0.000_5;

/** Timestamps in milliseconds jitter by one; two in a row by two. */
const JITTER_TICKS = 2 * (TICKS_PER_SECOND / 1000);
const REGULAR_SHARE = 0.8;

/** Of a segment with a single picture that does not say how long it is shown. */
const ONE_FRAME = TICKS_PER_SECOND / 25;

/** `frames` in decode order. */
export function measureFrames(frames: readonly SourceFrame[]): FrameTiming {
  const times = frames.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
  const startTicks = times[0] ?? 0;
  const lastTicks = times.at(-1) ?? 0;
  const steps = times.slice(1).map((ticks, index) => ticks - (times[index] ?? 0));
  const frameTicks = typicalStep(steps);
  const told = frames.reduce((sum, { durationTicks }) => sum + (durationTicks ?? 0), 0);
  // Decode times go on from fragment to fragment, so their sum leads to the start of the next.
  const toldEnd = Math.floor(startTicks + told + 0.5 + 1e-4);
  const end =
    toldEnd > lastTicks
      ? toldEnd
      : Math.round(lastTicks + (frameTicks ?? steps.at(-1) ?? ONE_FRAME));
  const average = (frames.length * TICKS_PER_SECOND) / (end - startTicks);
  return {
    startTicks,
    endTicks: end,
    framesPerSecond: roundRate(frameTicks === undefined ? average : TICKS_PER_SECOND / frameTicks),
  };
}

/** Mean of the regular steps; undefined when the rate varies. A lost picture makes no variable rate. */
function typicalStep(steps: readonly number[]): number | undefined {
  const median = steps.toSorted((a, b) => a - b)[steps.length >> 1];
  if (median === undefined) return undefined;
  const regular = steps.filter((step) => Math.abs(step - median) <= JITTER_TICKS);
  if (regular.length < steps.length * REGULAR_SHARE) return undefined;
  return regular.reduce((sum, step) => sum + step, 0) / regular.length;
}

function roundRate(rate: number): number {
  const standard = STANDARD_RATES.find((it) => Math.abs(rate / it - 1) < RATE_TOLERANCE);
  return standard ?? Math.round(rate * 1000) / 1000;
}
