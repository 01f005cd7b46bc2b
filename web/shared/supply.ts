/**
 * What holds new media up on its way to the viewer: the broadcaster, the server's queue, or the viewer's
 * own connection. Pure.
 */

import type { StreamView } from '../../lib/api/messages.ts';

/** What the server says of a stream; its times are all by its own clock. */
export type SupplyReport = Readonly<
  Pick<
    StreamView,
    | 'state'
    | 'targetDurationSeconds'
    | 'serverTime'
    | 'newestUploadAt'
    | 'waitingSegments'
    | 'waitingSince'
  >
>;

/**
 * How a stream comes to its playlists. `late`: segments wait to be transcoded. `silent`: the broadcaster
 * uploads nothing. `over`: the broadcaster has ended it, though playlists may still be open.
 */
export type Supply = Readonly<
  | { state: 'flowing' | 'over' }
  /** `sinceMs`: upload of the oldest segment that waits, or of the newest; Unix time by the server's clock. */
  | { state: 'late' | 'silent'; sinceMs: number }
>;

/** Uploads come a segment apart, a target duration at most; the network delays some of them. */
const PATIENCE_TARGETS = 2.5;
const MIN_PATIENCE_MS = 5000;
const DEFAULT_TARGET_SECONDS = 6;

/** How long nothing new may come before a stream counts as silent or late. */
export const patienceMs = (targetDurationSeconds = DEFAULT_TARGET_SECONDS): number =>
  Math.max(MIN_PATIENCE_MS, PATIENCE_TARGETS * targetDurationSeconds * 1000);

/**
 * As of the report. `isStarved`: a viewer has played all that is published, so that what is late by a
 * target duration is felt already.
 */
export function supplyOf(report: SupplyReport, isStarved = false): Supply {
  const { targetDurationSeconds = DEFAULT_TARGET_SECONDS, waitingSegments = 0 } = report;
  const nowMs = timeOf(report.serverTime);
  const limitMs = isStarved ? 1000 * targetDurationSeconds : patienceMs(targetDurationSeconds);
  // A time ahead of the clock is from before the clock was set back.
  const isLongAgo = (timeMs: number): boolean => Math.abs(nowMs - timeMs) > limitMs;
  const waitingSinceMs = timeOf(report.waitingSince);
  if (waitingSegments > 0) {
    return isLongAgo(waitingSinceMs)
      ? { state: 'late', sinceMs: waitingSinceMs }
      : { state: 'flowing' };
  }
  if (report.state === 'ended') return { state: 'over' };
  const newestUploadMs = timeOf(report.newestUploadAt);
  return report.state === 'live' && isLongAgo(newestUploadMs)
    ? { state: 'silent', sinceMs: newestUploadMs }
    : { state: 'flowing' };
}

/** NaN, which is never long ago, where the server does not say. */
const timeOf = (text: string | undefined): number => Date.parse(text ?? '');

/** Who keeps a player that has stopped from going on; `nobody`: it goes on in a moment. */
export type Holdup = 'nobody' | 'viewer' | 'server' | 'broadcaster' | 'end';

export type Stall = Readonly<{
  /** Published media ahead of the position that the player does not have; gaps at the end do not count. */
  missingSeconds: number;
  /** How long the last segments took to arrive, as a share of their duration: above 1 they come too slowly. */
  loadShare: number;
}>;

/** Audio and picture do not end together. */
const STARVED_SECONDS = 0.5;

/** Whether a player has all that is published. */
export const isStarved = ({ missingSeconds }: Pick<Stall, 'missingSeconds'>): boolean =>
  missingSeconds < STARVED_SECONDS;

/** A player has stopped. `supply`: as a starved viewer feels it. */
export function holdupOf(stall: Stall, supply: Supply): Holdup {
  if (!isStarved(stall)) return stall.loadShare > 1 ? 'viewer' : 'nobody';
  return ({ flowing: 'nobody', late: 'server', silent: 'broadcaster', over: 'end' } as const)[
    supply.state
  ];
}
