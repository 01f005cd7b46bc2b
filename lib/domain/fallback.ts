/**
 * What a rendition shows where it has no piece of its own: an encoder run with a smaller picture has
 * fewer rungs, one with fewer languages fewer audio tracks. A neighbour plays on; a gap would stall.
 */

import type { RenditionTotals } from './publication.ts';

export function fallbacksFor(
  name: string,
  renditions: Readonly<Record<string, RenditionTotals>>,
): string[] {
  const own = renditions[name]?.info;
  if (!own) return [];
  const others = Object.entries(renditions).filter(
    ([other, { info }]) => other !== name && info.kind === own.kind,
  );
  if (own.kind === 'audio') return others.map(([other]) => other).sort();
  const height = (totals: RenditionTotals): number =>
    totals.info.kind === 'video' ? totals.info.heightPx : 0;
  // The next smaller first: it is never more than the line to the viewer can carry.
  const rank = ([, totals]: [string, RenditionTotals]): number => {
    const difference = own.heightPx - height(totals);
    return difference >= 0 ? difference : 100_000 - difference;
  };
  return others.toSorted((a, b) => rank(a) - rank(b)).map(([other]) => other);
}
