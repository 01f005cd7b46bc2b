/** Times of captions as callers give them, and which of the stream's clocks they are of. */

import type { CueInput } from '../../api/captions.ts';
import { type Cue, type CueClock, MAX_CUE_TICKS } from '../../domain/captions/caption.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Stream } from '../../domain/stream.ts';
import {
  secondsToTicks,
  TIMELINE_OFFSET_TICKS,
  ticksToSeconds,
  unwrapOffset,
} from '../../domain/ticks.ts';
import type { ParsedCaptions } from '../../media/captions/parse-captions.ts';
import type { Deps } from '../deps.ts';

/** The clock of a file's cues, and what is added to their times. */
export type Placement = Readonly<{ clock: CueClock; shiftTicks: number }>;

type FileTimes = Readonly<{ atMs?: number; session?: string; countsFromRun?: boolean }>;

/**
 * `atMs`: the instant of the file's zero. Else its own map to MPEG-TS counts, which is the clock of the
 * encoder's session, or of the newest run; else the start of the run, or of the stream. Throws `not_started` for a
 * map of a stream without media.
 */
export async function placeFile(
  { records }: Pick<Deps, 'records'>,
  stream: Stream,
  { map }: Pick<ParsedCaptions, 'map'>,
  { atMs, session, countsFromRun = false }: FileTimes,
): Promise<Placement> {
  if (atMs !== undefined) return { clock: 'wall', shiftTicks: atMs * 90 };
  if (!map && !countsFromRun) return { clock: 'start', shiftTicks: 0 };
  const run =
    session === undefined
      ? await records.newestRun(stream)
      : await records.runOfSession(stream, session);
  if (!map) {
    // Captions may go ahead of the first segment, which is the start of the stream.
    if (!run) return { clock: 'start', shiftTicks: 0 };
    return { clock: `run ${run.run}`, shiftTicks: run.anchorTicks };
  }
  const newest = run && (await records.newestSegment(stream, run.run));
  if (!run || !newest) {
    throw new DomainError(
      'not_started',
      `${session === undefined ? `Stream "${stream.videoId}"` : `Session "${session}"`} has no media yet, so X-TIMESTAMP-MAP says no time.`,
      'Send the captions again behind the first segment, or say when the file begins (?at=).',
    );
  }
  const nearTicks = newest.facts.startTicks + newest.timestampOffsetTicks;
  const zeroTicks = map.mpegTicks - map.localTicks + TIMELINE_OFFSET_TICKS;
  return { clock: `run ${run.run}`, shiftTicks: zeroTicks + unwrapOffset(zeroTicks, nearTicks) };
}

export const moveCues = (cues: readonly Cue[], shiftTicks: number): Cue[] =>
  cues.map((cue) => ({ ...cue, from: cue.from + shiftTicks, to: cue.to + shiftTicks }));

type TimedInput = Extract<CueInput, { from: unknown }>;

/** Throws `bad_request`. */
export function timesOfCue({
  from,
  to,
}: TimedInput): Pick<Cue, 'from' | 'to'> & Readonly<{ clock: CueClock }> {
  if (typeof from !== typeof to) {
    throw new DomainError(
      'bad_request',
      `The cue goes from ${from} to ${to}: one is seconds, the other an instant.`,
      'Give both as seconds from the start, or both as instants.',
    );
  }
  const ticksOf = (time: number | string): number =>
    typeof time === 'number' ? secondsToTicks(time) : Math.round(Date.parse(time) * 90);
  const span = { from: ticksOf(from), to: ticksOf(to) };
  const lastsTicks = span.to - span.from;
  if (lastsTicks <= 0 || lastsTicks > MAX_CUE_TICKS) {
    throw new DomainError(
      'bad_request',
      `The cue from ${from} to ${to} lasts ${ticksToSeconds(lastsTicks)} s.`,
      'A cue ends after its start, and within an hour.',
    );
  }
  return { ...span, clock: typeof from === 'number' ? 'start' : 'wall' };
}
