/** The end of a stream: by a call of the encoder, by its playlist, or by its silence. */

import type { Run, Stream, StreamSettings } from '../../domain/stream.ts';
import type { Deps, WorkerDeps } from '../deps.ts';
import { sendPublish } from '../messages.ts';
import type { EndRequest } from '../records/record-types.ts';
import { inTurn } from './push-turns.ts';

type EndAnswer = Readonly<{ ended: boolean; lastSegment?: number }>;

/** Of a call that comes before the first segment is taken. */
const NO_SEGMENT = -1;

/** ffmpeg exits without waiting for the answers to its last files: the call that follows comes after them. */
export const endByCall = (deps: Deps, stream: Stream): Promise<EndAnswer> =>
  behindFirstFiles(deps, stream, undefined, () => requestEnd(deps, stream, 'call'));

/** The last playlist overtakes segments that wait for their turn: it comes after them, too. */
export const endByPlaylist = (
  deps: Deps,
  stream: Stream,
  session: string | undefined,
  lastNumber: number | undefined,
): Promise<EndAnswer> =>
  behindFirstFiles(deps, stream, session, () => requestEnd(deps, stream, 'playlist', lastNumber));

async function behindFirstFiles(
  deps: Deps,
  stream: Stream,
  session: string | undefined,
  end: () => Promise<EndAnswer>,
): Promise<EndAnswer> {
  const { value } = await deps.records.pushNaming(stream, session ?? '');
  return value.turns ? inTurn(deps, stream, session, 'end', end) : end();
}

/**
 * Notes after which segment the stream ends. The publisher ends the playlists when all up to there is
 * published; a segment that goes on from there later opens the stream again.
 */
export async function requestEnd(
  deps: Pick<WorkerDeps, 'records' | 'queues' | 'clock'>,
  stream: Stream,
  reason: EndRequest['reason'],
  /** The last segment by the encoder's playlist: it may still be on its way. */
  announcedLast?: number,
): Promise<EndAnswer> {
  const { records } = deps;
  const run = await records.newestRun(stream);
  const newest = run && (await records.newestSegment(stream, run.run));
  const number = announcedLast ?? newest?.number;
  if (number === undefined && reason !== 'call') return { ended: false };
  const asked: EndRequest = {
    run: run?.run ?? 0,
    number: number ?? NO_SEGMENT,
    requestedAtMs: deps.clock.now(),
    reason,
  };
  await records.changeEndRequest(stream, (known) => (known ? together(known, asked) : asked));
  if (number === undefined) return { ended: false };
  await sendPublish(deps, { videoId: stream.videoId, uid: stream.uid });
  return { ended: true, lastSegment: number };
}

/** ffmpeg sends its last playlist without waiting for the answers to its last segments. */
const OVERTAKING_MS = 2000;

/** A call counts at once, also when the encoder's playlist says the same end before it or after it. */
function together(known: EndRequest, asked: EndRequest): EndRequest {
  const isOneEnd = Math.abs(asked.requestedAtMs - known.requestedAtMs) <= OVERTAKING_MS;
  if (asked.reason === 'call' && isOneEnd) {
    const announced = known.reason === 'playlist' ? known.number : known.announced;
    return announced === undefined ? asked : { ...asked, announced };
  }
  if (asked.reason === 'playlist' && known.reason === 'call') {
    if (isOneEnd) return { ...known, announced: asked.number };
    const isSame = known.number === asked.number || known.announced === asked.number;
    if (isSame && known.run === asked.run) return known;
  }
  return asked;
}

/** Whether this is the segment after which the stream was to end. */
export function endsWith(
  end: EndRequest,
  run: Run,
  newest: Readonly<{ number: number; uploadedAtMs: number }>,
): boolean {
  const announced = end.reason === 'playlist' ? end.number : end.announced;
  if (end.run === run.run) return newest.number === end.number || newest.number === announced;
  // The last playlist of a run came before its first segment was taken.
  const latestMs = end.requestedAtMs + OVERTAKING_MS;
  const isOnItsWay = end.reason === 'playlist' || newest.uploadedAtMs <= latestMs;
  return newest.number === announced && run.createdAtMs <= latestMs && isOnItsWay;
}

const DEFAULT_IDLE_TIMEOUT_SECONDS = 60;

/**
 * How long live playlists go on after an end was requested. An encoder that is restarted pushes the end
 * of its playlist first: it has the stream's idle timeout to come back, before viewers are told. A
 * segment that its playlist announced, and that is still on its way, belongs to what a call ends.
 */
export function endGraceMs(
  { reason, announced }: EndRequest,
  { idleTimeoutSeconds }: StreamSettings,
  newest: Readonly<{ number: number }>,
): number {
  if (reason === 'playlist') return 1000 * (idleTimeoutSeconds ?? DEFAULT_IDLE_TIMEOUT_SECONDS);
  return announced === undefined || announced === newest.number ? 0 : OVERTAKING_MS;
}
