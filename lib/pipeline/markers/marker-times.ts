/** Times of markers as callers give them, on the stream's wall clock. */

import type { MarkerTime } from '../../api/markers.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Stream } from '../../domain/stream.ts';
import { secondsToTicks } from '../../domain/ticks.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { instantOf } from '../view/moments.ts';

type Times = Readonly<{
  at?: MarkerTime | undefined;
  start?: MarkerTime | undefined;
  end?: MarkerTime | undefined;
}>;

/** A marker behind the live edge by more was meant for another clock. */
const MAX_AHEAD_MS = 366 * 24 * 3_600_000;

/**
 * Whole milliseconds, as EXT-X-PROGRAM-DATE-TIME has them. Throws `not_started` for seconds of a stream
 * without media, and `bad_request` for an end before the start.
 */
export async function wallClockOf(
  deps: Pick<Deps, 'records' | 'clock'>,
  stream: Stream,
  state: TimelineState,
  times: Times,
): Promise<Readonly<{ startMs?: number; endMs?: number }>> {
  const toMs = async (time: MarkerTime): Promise<number> => {
    const at =
      typeof time === 'number'
        ? { offsetTicks: secondsToTicks(time) }
        : { instantMs: Date.parse(time) };
    const ms = await instantOf(deps, stream, state, at);
    if (ms === undefined) {
      throw new DomainError(
        'not_started',
        `Stream "${stream.videoId}" has no media yet, so ${time} s of it are no time.`,
        'Send an instant (2026-01-31T12:00:00Z), or wait for the first segment.',
      );
    }
    if (ms < 0 || ms > deps.clock.now() + MAX_AHEAD_MS) {
      throw new DomainError(
        'bad_request',
        `${time} is no time of this stream.`,
        'Send seconds from its start, or an instant of its wall clock.',
      );
    }
    return Math.round(ms);
  };
  const { at, start = at, end = at } = times;
  const startMs = start === undefined ? undefined : await toMs(start);
  const endMs = end === undefined ? undefined : end === start ? startMs : await toMs(end);
  return { ...(startMs !== undefined && { startMs }), ...(endMs !== undefined && { endMs }) };
}

/** Throws `bad_request`. */
export function checkOrder(startMs: number, endMs: number | undefined): void {
  if (endMs === undefined || endMs >= startMs) return;
  throw new DomainError(
    'bad_request',
    `The marker ends at ${new Date(endMs).toISOString()}, before it starts at ${new Date(startMs).toISOString()}.`,
    'Send an end that is not before the start.',
  );
}
