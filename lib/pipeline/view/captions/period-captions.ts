/**
 * Captions at a discontinuity, where the clock of cues is another one: a cue that goes on behind it is two, each
 * with its part. Players would show it twice: with times of both clocks they lay it over itself.
 */

import type { PlacedCue } from '../../../domain/captions/caption-placement.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineEntry } from '../../../domain/timeline.ts';
import type { Deps } from '../../deps.ts';
import { findPeriodEnd, findPeriodStart } from '../../records/timeline-search.ts';

type Parts = Pick<Deps, 'records'>;

/**
 * `isOver`: the entry's period, so that its end is known and stays. Live it may go on, and cues have their
 * whole times there. What lies before the period as a whole has come late, and stays where it is.
 */
export async function cutToPeriod(
  { records }: Parts,
  stream: Stream,
  length: number,
  entry: TimelineEntry,
  cues: readonly PlacedCue[],
  isOver: boolean,
): Promise<readonly PlacedCue[]> {
  const { startTicks, durationTicks, discontinuities } = entry;
  const isEarly = discontinuities > 0 && cues.some(({ from }) => from < startTicks);
  const isLong = isOver && cues.some(({ to }) => to > startTicks + durationTicks);
  const [first, last] = await Promise.all([
    isEarly ? findPeriodStart(records, stream, entry) : undefined,
    isLong ? findPeriodEnd(records, stream, length, entry) : undefined,
  ]);
  const start = first?.startTicks ?? Number.NEGATIVE_INFINITY;
  const end = last ? last.startTicks + last.durationTicks : Number.POSITIVE_INFINITY;
  return cues.map((cue) => ({
    ...cue,
    ...(cue.to > start && { from: Math.max(start, cue.from) }),
    ...(cue.from < end && { to: Math.min(end, cue.to) }),
  }));
}
