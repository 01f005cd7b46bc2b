/** Presentation times of frames for which the container says none. Pure. */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';

/** Where neither times nor parameter sets tell the rate. */
const GUESSED_FRAME_TICKS = TICKS_PER_SECOND / 25;
const PLAUSIBLE_TICKS = { least: TICKS_PER_SECOND / 300, most: 10 * TICKS_PER_SECOND };

/**
 * Frames without a time lie evenly between those around them in decode order; in front of the first
 * and behind the last time at the rate of all. undefined when no frame has a time. `declaredTicks`:
 * length of a frame by the parameter sets, for when only one frame has a time.
 */
export function fillTimes(
  times: readonly (number | undefined)[],
  declaredTicks: number | undefined,
): number[] | undefined {
  const known = times.flatMap((ticks, index) => (ticks === undefined ? [] : [{ index, ticks }]));
  const [first] = known;
  const last = known.at(-1);
  if (!first || !last) return undefined;
  if (known.length === times.length) return known.map(({ ticks }) => ticks);
  const mean = (last.ticks - first.ticks) / (last.index - first.index);
  const step = [mean, declaredTicks].find(isPlausible) ?? GUESSED_FRAME_TICKS;
  let before = 0;
  return times.map((ticks, index) => {
    if (ticks !== undefined) return ticks;
    while ((known[before + 1]?.index ?? Infinity) < index) before += 1;
    const left = known[before] ?? first;
    const right = known[before + 1];
    const isBetween = left.index < index && right !== undefined;
    const slope = isBetween ? (right.ticks - left.ticks) / (right.index - left.index) : step;
    return Math.round(left.ticks + (index - left.index) * slope);
  });
}

const isPlausible = (ticks: number | undefined): ticks is number =>
  ticks !== undefined && ticks >= PLAUSIBLE_TICKS.least && ticks <= PLAUSIBLE_TICKS.most;
