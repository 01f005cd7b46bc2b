/** The end of a stream: by a call of the encoder, by its playlist, or by its silence. */

import type { Run, Stream, StreamSettings } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import { sendPublish } from '../messages.ts';
import type { EndRequest } from '../records/record-types.ts';

/**
 * Notes after which segment the stream ends. The publisher ends the playlists when all up to there is
 * published; a segment that goes on from there later opens the stream again.
 */
export async function requestEnd(
  deps: Deps,
  stream: Stream,
  reason: EndRequest['reason'],
  /** The last segment by the encoder's playlist: it may still be on its way. */
  announcedLast?: number,
): Promise<Readonly<{ ended: boolean; lastSegment?: number }>> {
  const { records } = deps;
  const run = await records.newestRun(stream);
  const newest = run && (await records.newestSegment(stream, run.run));
  const number = announcedLast ?? newest?.number;
  if (number === undefined) return { ended: false };
  await records.requestEnd(stream, {
    run: run?.run ?? 0,
    number,
    requestedAtMs: deps.clock.now(),
    reason,
  });
  await sendPublish(deps, { videoId: stream.videoId, uid: stream.uid });
  return { ended: true, lastSegment: number };
}

/** ffmpeg sends its last playlist without waiting for the answers to its last segments. */
const OVERTAKING_MS = 2000;

/** Whether this is the segment after which the stream was to end. */
export const endsWith = (
  end: EndRequest,
  run: Run,
  newest: Readonly<{ number: number }>,
): boolean =>
  end.number === newest.number &&
  (end.run === run.run ||
    (end.reason === 'playlist' && run.createdAtMs <= end.requestedAtMs + OVERTAKING_MS));

const DEFAULT_IDLE_TIMEOUT_SECONDS = 60;

/**
 * How long live playlists go on after an end was requested. An encoder that is restarted pushes the end
 * of its playlist first: it has the stream's idle timeout to come back, before viewers are told.
 */
export const endGraceMs = (
  { reason }: EndRequest,
  { idleTimeoutSeconds }: StreamSettings,
): number =>
  reason === 'playlist' ? 1000 * (idleTimeoutSeconds ?? DEFAULT_IDLE_TIMEOUT_SECONDS) : 0;
