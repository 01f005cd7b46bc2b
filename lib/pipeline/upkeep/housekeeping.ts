/** Housekeeping of an open stream: ends it when its encoder is silent, and finds what fell between two steps. */

import { withTrack } from '../../domain/languages/language-track.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import { requestEnd } from '../ingest/end.ts';
import { requeueLost } from '../jobs/requeue.ts';
import type { StreamCheck } from '../message-schemas.ts';
import { sendDelayed, sendPublish } from '../messages.ts';
import type { NextHousekeeping } from '../records/record-types.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import { findUploadedFile } from '../records/uploaded-file-records.ts';

const LONGEST_DELAY_MS = 30_000;
const SHORTEST_DELAY_MS = 1000;

/** A job takes a few seconds; one that is in no queue and has no outcome after so long is lost. */
const LOST_JOB_MS = 45_000;

/** Delayed messages come a little early at times. */
const EARLY_MS = 1_000;

/** Numbers past the timeline that one round covers; the next round goes on from there. */
const READ_AHEAD = 200;

export function housekeepingDelayMs(stream: Stream, quietMs = 0): number {
  const idleMs = (stream.settings.idleTimeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  return Math.max(SHORTEST_DELAY_MS, Math.min(LONGEST_DELAY_MS, idleMs - quietMs));
}

export const startHousekeeping = (
  deps: Pick<Deps, 'queues'>,
  stream: Stream,
  delayMs = housekeepingDelayMs(stream),
): Promise<void> => {
  const { videoId, uid } = stream;
  return sendDelayed(deps, { type: 'housekeeping', videoId, uid }, delayMs);
};

export async function onDelayedMessage(deps: Deps, message: StreamCheck): Promise<void> {
  const found = await deps.records.findStream(message.videoId);
  if (found?.value.uid !== message.uid) return;
  await sendPublish(deps, { videoId: message.videoId, uid: message.uid });
  if (message.type === 'housekeeping') await keepHouse(deps, found.value);
}

/**
 * Any number of messages may be under way: each run sends one, and so does each upload that is repeated
 * because the first one's messages could not be sent. One of them goes on.
 */
async function keepHouse(deps: Deps, stream: Stream): Promise<void> {
  const { records } = deps;
  const [{ value: timeline }, run, next] = await Promise.all([
    records.timeline(stream),
    records.newestRun(stream),
    records.nextHousekeeping(stream),
  ]);
  if (!run) return;
  const newest = await records.newestSegment(stream, run.run);
  const nowMs = deps.clock.now();
  const uploadedAtMs = newest?.uploadedAtMs ?? run.createdAtMs;
  const quietMs = silentMs(next.value, uploadedAtMs, nowMs);
  const { idleTimeoutSeconds } = stream.settings;
  const isSilent = idleTimeoutSeconds !== null && quietMs >= idleTimeoutSeconds * 1000;
  // A file ends its stream itself, however long its job waits for the workers.
  const isIdle = isSilent && !(await isCut(deps, stream));
  if (!isIdle && isEarly(nowMs, next.value.atMs)) return;
  let requeued = await requeueLostOf(deps, stream, timeline.run, timeline.nextNumber ?? 0);
  if (run.run !== timeline.run) requeued += await requeueLostOf(deps, stream, run.run, 0);
  for (const { name } of stream.languages ?? [])
    requeued += await requeueLanguage(deps, stream, name);
  // Ended, and nothing is on its way: the next upload starts housekeeping again.
  if (timeline.endedAtMs !== undefined && requeued === 0) return;
  if (isIdle) await requestEnd(deps, stream, 'idle');
  const delayMs = isIdle ? LONGEST_DELAY_MS : housekeepingDelayMs(stream, quietMs);
  // In this order: two messages go on until one of them finds the other's mark, none is lost.
  await startHousekeeping(deps, stream, delayMs);
  const mark = { atMs: nowMs + delayMs, uploadedAtMs, sinceMs: nowMs - quietMs };
  await records.markNextHousekeeping(stream, mark, next.version);
}

async function isCut(deps: Deps, stream: Stream): Promise<boolean> {
  const state = (await findUploadedFile(deps, stream))?.value.state;
  return state === 'waiting' || state === 'processing';
}

/**
 * How long the encoder has been silent. Time that housekeeping has missed does not count: the clock was
 * set forward, or the machine slept, and no encoder could reach it. What lies in the future is from
 * before the clock was set back.
 */
function silentMs(last: NextHousekeeping, uploadedAtMs: number, nowMs: number): number {
  const isKnown = last.uploadedAtMs === uploadedAtMs;
  const { sinceMs = uploadedAtMs } = isKnown ? last : {};
  const dueMs = isKnown ? last.atMs : uploadedAtMs + LONGEST_DELAY_MS;
  const missedMs = Math.max(0, nowMs - dueMs - LONGEST_DELAY_MS);
  return Math.max(0, nowMs - sinceMs - missedMs);
}

/** A time further ahead than any delay is from before the clock was set back, and does not count. */
const isEarly = (nowMs: number, dueMs: number): boolean =>
  nowMs < dueMs - EARLY_MS && dueMs <= nowMs + LONGEST_DELAY_MS;

async function requeueLanguage(deps: Deps, stream: Stream, track: string): Promise<number> {
  const language = withTrack(stream, track);
  const newest = await deps.records.newestRun(language);
  if (!newest) return 0;
  const [first = 0] = await deps.records.highestNumbers(language, newest.run, READ_AHEAD);
  return requeueLostOf(deps, language, newest.run, first);
}

async function requeueLostOf(
  deps: Deps,
  stream: Stream,
  run: number,
  from: number,
): Promise<number> {
  if (run === 0) return 0;
  const { records } = deps;
  const [numbers, outcomes] = await Promise.all([
    records.numbersFrom(stream, run, from, READ_AHEAD),
    records.outcomesFrom(stream, run, from, READ_AHEAD),
  ]);
  const completed = new Set(outcomes.map(({ number }) => number));
  const unfinished = await findSegments(
    records,
    stream,
    run,
    numbers.filter((number) => !completed.has(number)),
  );
  const uploadedAtMs = outcomes.map((one) => (one.type === 'rendered' ? one.uploadedAtMs : 0));
  const newestDoneMs = Math.max(0, ...uploadedAtMs);
  return requeueLost(deps, stream, unfinished, { minAgeMs: LOST_JOB_MS, newestDoneMs });
}

async function findSegments(
  records: StreamRecords,
  stream: Stream,
  run: number,
  numbers: readonly number[],
) {
  const found = await Promise.all(numbers.map((one) => records.findSegment(stream, run, one)));
  return found.filter((segment) => segment !== undefined);
}
