/** When a segment's frames begin and end, and at which rate they follow. */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import type { DemuxedFrame } from './demuxed-segment.ts';

export type FrameTiming = Readonly<{
  startTicks: number;
  endTicks: number;
  framesPerSecond: number;
  /** Nothing says how long the last frame lasts. */
  endIsGuess?: true;
}>;

const STANDARD_RATES = [
  ...[10, 12, 12.5, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240],
  ...[15_000, 24_000, 30_000, 60_000, 120_000].map((rate) => rate / 1001),
];
/** Half of what 29.97 and 30 lie apart. */
const RATE_TOLERANCE = 0.000_5;

/** Timestamps in milliseconds jitter by one; two in a row by two. */
const JITTER_TICKS = 2 * (TICKS_PER_SECOND / 1000);
const REGULAR_SHARE = 0.8;

/** Of a segment with a single frame, and nothing that says how long. */
const ONE_FRAME_TICKS = TICKS_PER_SECOND / 25;

/**
 * `frames` in decode order, at least one. The end is exact where the container gives durations.
 * `audioEndTicks`: where the sound ends; a single frame of unknown duration is taken to last as long.
 */
export function measureFrames(frames: readonly DemuxedFrame[], audioEndTicks = 0): FrameTiming {
  const times = frames.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
  const startTicks = times[0] ?? 0;
  const lastTicks = times.at(-1) ?? 0;
  const steps = times.slice(1).map((ticks, index) => ticks - (times[index] ?? 0));
  const frameTicks = typicalStep(steps);
  const declared = frames.reduce((sum, { durationTicks }) => sum + (durationTicks ?? 0), 0);
  // Decode times go on from fragment to fragment, so their sum leads to the start of the next.
  const declaredEnd = Math.floor(startTicks + declared + 0.5 + 1e-4);
  const isDeclared = declaredEnd > lastTicks;
  const audioTicks = audioEndTicks > lastTicks ? audioEndTicks - lastTicks : ONE_FRAME_TICKS;
  const end = isDeclared
    ? declaredEnd
    : Math.round(lastTicks + (frameTicks ?? steps.at(-1) ?? audioTicks));
  const average = (frames.length * TICKS_PER_SECOND) / (end - startTicks);
  return {
    startTicks,
    endTicks: end,
    framesPerSecond: roundRate(frameTicks === undefined ? average : TICKS_PER_SECOND / frameTicks),
    ...(!isDeclared && frameTicks === undefined && { endIsGuess: true as const }),
  };
}

/** Mean of the regular steps; undefined when the rate varies. A lost frame makes no variable rate. */
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
