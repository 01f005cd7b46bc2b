/** Gaps in audio renditions, whose pieces do not end and begin where those of the video do. Pure. */

import { TICKS_PER_SECOND } from './ticks.ts';
import type { AudioGaps, Pieces } from './timeline.ts';

/** Audio further from the video's cut belongs to something else. */
const MAX_DISTANCE_TICKS = TICKS_PER_SECOND;

type Gap = Readonly<{
  startTicks: number;
  durationTicks: number;
  /** Of several in a row, only the first and the last have a neighbour that is no gap. */
  isFirst: boolean;
  isLast: boolean;
}>;

/**
 * What audio renditions list of a gap, so that EXT-X-PROGRAM-DATE-TIME and EXTINF say where the next piece
 * begins. `endsBefore`: ticks at which the pieces before the gap end, by rendition; `after`: the pieces
 * behind it. Undefined for none: they list what the video does.
 */
export function audioGapsOf(
  gap: Gap,
  endsBefore: Readonly<Record<string, number>>,
  after: Pieces,
): AudioGaps | undefined {
  const ownEnd = gap.startTicks + gap.durationTicks;
  const gaps = Object.entries(endsBefore).flatMap(([name, before]) => {
    const behind = after[name]?.startTicks;
    if (behind === undefined) return [];
    const startTicks = gap.isFirst ? before : gap.startTicks;
    const endTicks = gap.isLast ? behind : ownEnd;
    const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= MAX_DISTANCE_TICKS;
    const fits = isNear(startTicks, gap.startTicks) && isNear(endTicks, ownEnd);
    const durationTicks = endTicks - startTicks;
    return fits && durationTicks > 0 ? [[name, { startTicks, durationTicks }] as const] : [];
  });
  return gaps.length > 0 ? Object.fromEntries(gaps) : undefined;
}

/** Where the pieces end, of those that say so: of audio. */
export const audioEndsOf = (pieces: Pieces): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(pieces).flatMap(([name, { startTicks, durationTicks }]) =>
      startTicks === undefined || durationTicks === undefined
        ? []
        : [[name, startTicks + durationTicks]],
    ),
  );
