/** Bit rates of a rendition: BANDWIDTH and AVERAGE-BANDWIDTH (RFC 8216bis, 4.4.6.2). Pure. */

import { TICKS_PER_SECOND } from './ticks.ts';
import type { RenditionTotals, SizeTotals } from './timeline.ts';

const NOTHING: SizeTotals = { peakBps: 0, sizeBytes: 0, durationTicks: 0, newest: [] };

const bps = (sizeBytes: number, ticks: number): number =>
  Math.round((sizeBytes * 8 * TICKS_PER_SECOND) / ticks);

/**
 * The rates with one more segment. The peak is that of any segments in a row that together last 0.5 to
 * 1.5 target durations: a short one at the end says little about the line that a viewer needs.
 */
export function measureSegment(
  before: SizeTotals = NOTHING,
  sizeBytes: number,
  durationTicks: number,
  targetTicks: number,
): SizeTotals {
  const newest = [[sizeBytes, durationTicks] as const, ...(before.newest ?? [])];
  let peakBps = before.peakBps;
  let bytes = 0;
  let ticks = 0;
  let count = 0;
  for (const [size, duration] of newest) {
    if (count > 0 && ticks + duration > 1.5 * targetTicks) break;
    bytes += size;
    ticks += duration;
    count += 1;
    if (ticks >= 0.5 * targetTicks) peakBps = Math.max(peakBps, bps(bytes, ticks));
  }
  // Nothing but short segments so far.
  if (peakBps === 0) peakBps = bps(bytes, 0.5 * targetTicks);
  return {
    peakBps,
    sizeBytes: before.sizeBytes + sizeBytes,
    durationTicks: before.durationTicks + durationTicks,
    newest: newest.slice(0, count),
  };
}

export const averageBps = ({ sizeBytes, durationTicks }: SizeTotals): number =>
  bps(sizeBytes, durationTicks);

/** A segment starts with a buffer of half a second filled; the container adds a little. */
const BUFFER_SECONDS = 0.5;
const CONTAINER = 1.02;
/** Copied audio has no limit of ours; its rate hardly varies. */
const AUDIO_HEADROOM = 1.1;
/** A stream may begin in silence, which says nothing of the rate that follows. */
const SILENT_BPS = 16_000;
const LIKELY_AUDIO_BPS = 160_000;

/**
 * A bound that no segment exceeds. Of a stream that goes on it is what the encoder's limit allows, as
 * the viewer who joins first relies on it to the end; of a recording it is what was measured.
 */
export function boundBps(
  { info, peakBps, maxrateBps }: Pick<RenditionTotals, 'info' | 'peakBps' | 'maxrateBps'>,
  targetSeconds: number,
  isLive: boolean,
): number {
  if (!isLive) return peakBps;
  if (info.kind === 'audio') {
    return peakBps < SILENT_BPS ? LIKELY_AUDIO_BPS : Math.ceil(peakBps * AUDIO_HEADROOM);
  }
  return Math.max(peakBps, limitBps(maxrateBps ?? info.maxrateBps ?? 0, targetSeconds));
}

const limitBps = (maxrateBps: number, targetSeconds: number): number =>
  Math.ceil(maxrateBps * (1 + BUFFER_SECONDS / targetSeconds) * CONTAINER);
