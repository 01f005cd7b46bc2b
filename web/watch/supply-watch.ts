/** Keeps an eye on how a live stream comes to its playlists: asks the server while nothing new comes. */

import type { StreamView } from '../../lib/api/messages.ts';
import { isStarved, patienceMs, type Supply, supplyOf } from '../shared/supply.ts';

/** What is needed of a player. */
export type PlayerFacts = Readonly<{
  live: boolean;
  /** Grows whenever the playlist does. */
  newestSegment: number;
  missingSeconds: number;
  targetDurationSeconds: number;
}>;

export type SupplyWatch = Readonly<{
  /** The server has been asked, whoever asked it. */
  note(report: StreamView): void;
  /** The supply as a player feels it that has these facts; `isStalled`: it stands still. */
  observe(facts: PlayerFacts, isStalled: boolean): Supply;
}>;

const FLOWING: Supply = { state: 'flowing' };
const MIN_INTERVAL_MS = 2000;
const MAX_INTERVAL_MS = 6000;

/** `ask` fetches the stream's state, which comes back by `note`; `nowMs` never goes back; `random`: 0 to 1. */
export function watchSupply(
  ask: () => void,
  nowMs: () => number,
  random: () => number,
): SupplyWatch {
  let report: StreamView | undefined;
  let newest: number | undefined;
  let newSinceMs = nowMs();
  let askAtMs = 0;

  function observe(facts: PlayerFacts, isStalled: boolean): Supply {
    const { live, newestSegment, targetDurationSeconds: targetSeconds } = facts;
    if (!live) return FLOWING;
    const atMs = nowMs();
    if (newest === undefined || newestSegment > newest) {
      // What the server said before has been overtaken; of an end or a silence that is news.
      if (newest !== undefined && report) {
        if (supplyOf(report).state !== 'flowing') ask();
        report = undefined;
      }
      newest = newestSegment;
      newSinceMs = atMs;
    }
    const starved = isStalled && isStarved(facts);
    const supply = report ? supplyOf(report, starved) : FLOWING;
    const isQuiet = atMs - newSinceMs > patienceMs(targetSeconds);
    if ((starved || isQuiet || supply.state !== 'flowing') && atMs >= askAtMs) {
      const intervalMs = Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, 1000 * targetSeconds));
      askAtMs = atMs + intervalMs * (0.8 + 0.4 * random());
      ask();
    }
    return supply;
  }

  return {
    note(next) {
      report = next;
    },
    observe,
  };
}
