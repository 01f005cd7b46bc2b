/** Opens a source again whenever it went away, until enough of it was sent. */

import { pause } from '../base/retry.ts';
import { isFinalReason } from './ffmpeg-reason.ts';
import type { SourceWait } from './source-wait.ts';

/** What one connection to the source brought. */
export type Connection = Readonly<{
  segments: number;
  /** Of media. */
  seconds: number;
  /** In one line; absent when the source ended. */
  failure?: string;
  /** It was cut off where it was to end. */
  reached: boolean;
  /** Its media showed whether the source is opened again. */
  restartable?: boolean;
}>;

export type ReopeningOptions = Readonly<{
  /** Whether the source is opened again, as long as its media did not show it. */
  restartable: boolean;
  /** The time without the source counts as well, so that it ends when it was told to. */
  durationSeconds?: number | undefined;
  stop: AbortSignal;
  wait: SourceWait;
  connect(remainingSeconds: number): Promise<Connection>;
  /** Milliseconds of a clock that never jumps. */
  now?: () => number;
}>;

/** Less is not worth a connection, nor a run of its own. */
const LEAST_SECONDS = 0.5;

/** Returns why it failed; undefined if it ended as it should, or was stopped. */
export async function captureUntilEnd(options: ReopeningOptions): Promise<string | undefined> {
  const { durationSeconds = Infinity, stop, wait, connect } = options;
  const now = options.now ?? (() => performance.now());
  let { restartable } = options;
  let spentSeconds = 0;
  let anyMedia = false;
  let seenMs = now();
  const awaySeconds = (): number => (restartable ? (now() - seenMs) / 1000 : 0);
  const remaining = (): number => durationSeconds - spentSeconds - awaySeconds();
  for (;;) {
    const away = awaySeconds();
    const end = await connect(remaining());
    restartable = end.restartable ?? restartable;
    if (end.segments > 0) {
      anyMedia = true;
      spentSeconds += away + end.seconds;
      seenMs = now();
    }
    if (stop.aborted || end.reached) return undefined;
    if (!restartable) return end.failure;
    const why = end.failure ?? 'the source ended';
    if (!anyMedia && isFinalReason(why)) return why;
    const delayMs = remaining() < LEAST_SECONDS ? 0 : wait.lost(why, end.seconds);
    await pause(Math.max(0, Math.min(delayMs, remaining() * 1000)), stop);
    if (stop.aborted) return undefined;
    if (remaining() < LEAST_SECONDS) {
      return anyMedia ? undefined : `no media came in ${durationSeconds} s (${why})`;
    }
  }
}
