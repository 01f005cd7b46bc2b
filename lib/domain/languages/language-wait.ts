/**
 * How long publishing waits for a language that is uploaded on its own. An entry names its pieces once and
 * for all, so what is still on its way is waited for; but never for long, and never for an encoder that
 * has left. Pure.
 */

import { ticksToMs } from '../ticks.ts';

/** What is known of a track. Unix times in milliseconds. */
export type TrackProgress = Readonly<{
  /** Where its sound begins. */
  startMs: number;
  /** What workers have made of it, around the entries that wait. */
  covered: readonly Readonly<{ startMs: number; endMs: number }>[];
  /** Of the newest segment. */
  newestEndMs: number;
  newestMs: number;
  newestUploadedAtMs: number;
  /** Its encoder has said so. */
  isEnded: boolean;
}>;

/** Sound ends a frame or two before its segment does. */
const TOLERANCE_MS = 60;

/** A language of segments that are as long as those of the stream is a segment and a job behind. */
export const languageGraceMs = (targetMs: number, { newestMs }: TrackProgress): number =>
  targetMs + Math.min(newestMs, targetMs);

/** Whether the encoder still sends: its next segment is not overdue. */
export const isSending = (track: TrackProgress, targetMs: number, nowMs: number): boolean =>
  !track.isEnded && nowMs < track.newestUploadedAtMs + 2 * track.newestMs + targetMs;

/**
 * Until when an entry waits for a track; undefined: not at all, or no longer. `readyAtMs`: since when the
 * entry could be listed.
 */
export function waitsUntilMs(
  entry: Readonly<{ startMs: number; endMs: number; readyAtMs: number }>,
  track: TrackProgress,
  targetMs: number,
  nowMs: number,
): number | undefined {
  const graceMs = languageGraceMs(targetMs, track);
  const untilMs = entry.readyAtMs + graceMs;
  // One that is ready in the future is from before the clock was set back.
  if (nowMs >= untilMs || entry.readyAtMs > nowMs + graceMs) return undefined;
  if (!isSending(track, targetMs, nowMs)) return undefined;
  // What lags by more would not come in time.
  if (track.newestEndMs + graceMs < entry.startMs) return undefined;
  return isCovered(entry, track) ? undefined : untilMs;
}

function isCovered(
  { startMs, endMs }: Readonly<{ startMs: number; endMs: number }>,
  track: TrackProgress,
): boolean {
  let reachedMs = Math.max(startMs, track.startMs);
  for (const span of track.covered.toSorted((a, b) => a.startMs - b.startMs)) {
    if (span.startMs > reachedMs + TOLERANCE_MS) break;
    reachedMs = Math.max(reachedMs, span.endMs);
  }
  return reachedMs + TOLERANCE_MS >= endMs;
}

/** Where a span of ticks lies on the wall clock, given that of the timeline's time zero. */
export const onWallClock = (
  { startTicks, durationTicks }: Readonly<{ startTicks: number; durationTicks: number }>,
  zeroMs: number,
): Readonly<{ startMs: number; endMs: number }> => ({
  startMs: zeroMs + ticksToMs(startTicks),
  endMs: zeroMs + ticksToMs(startTicks + durationTicks),
});
