/** The regular look at an open stream: has it gone quiet, did anything fall between two steps? */

import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import { requestEnd } from '../ingest/end.ts';
import type { DelayedMessage } from '../message-schemas.ts';
import { sendDelayed, sendPublish, sendTranscode } from '../messages.ts';
import { requestScaling } from './scaling.ts';

const LONGEST_DELAY_MS = 30_000;
const SHORTEST_DELAY_MS = 1000;

/** An acknowledged segment without an outcome for so long lost its job: the queueing process died. */
const LOST_JOB_MS = 45_000;

/** Timers come a little early at times. */
const EARLY_MS = 1_000;

/** Numbers past the timeline that one look covers; the next look goes on from there. */
const LOOK_AHEAD = 200;

export function housekeepingDelayMs(stream: Stream, quietMs = 0): number {
  const idleMs = (stream.settings.idleTimeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  return Math.max(SHORTEST_DELAY_MS, Math.min(LONGEST_DELAY_MS, idleMs - quietMs));
}

export async function onDelayedMessage(deps: Deps, event: DelayedMessage): Promise<void> {
  const { records } = deps;
  const found = await records.findStream(event.videoId);
  if (found?.value.uid !== event.uid) return;
  await sendPublish(deps, { videoId: event.videoId, uid: event.uid });
  if (event.type === 'watch') await keepHouse(deps, found.value);
}

/**
 * Any number of timers may be under way: each run sets one, and so does each upload that is repeated
 * because the first one's messages could not be sent. One of them goes on.
 */
async function keepHouse(deps: Deps, stream: Stream): Promise<void> {
  const { records } = deps;
  const { videoId, uid } = stream;
  const [{ value: head }, run, next] = await Promise.all([
    records.head(stream),
    records.newestRun(stream),
    records.nextHousekeeping(stream),
  ]);
  if (!run) return;
  const newest = await records.newestSegment(stream, run.run);
  const nowMs = deps.clock.now();
  const quietMs = nowMs - (newest?.uploadedAtMs ?? run.createdAtMs);
  const { idleTimeoutSeconds } = stream.settings;
  const isIdle = idleTimeoutSeconds !== null && quietMs >= idleTimeoutSeconds * 1000;
  if (!isIdle && nowMs < next.value.atMs - EARLY_MS) return;
  const lost = await lostSegments(deps, stream, head.run, head.nextNumber ?? 0);
  if (run.run !== head.run) lost.push(...(await lostSegments(deps, stream, run.run, 0)));
  if (lost.length > 0) {
    const jobs = lost.map((segment) => ({ videoId, uid, ...segment }));
    await Promise.all([sendTranscode(deps, jobs), requestScaling(deps)]);
  }
  // Ended, and nothing is on its way: the next upload starts the watch again.
  if (head.endedAtMs !== undefined && lost.length === 0) return;
  if (isIdle) await requestEnd(deps, stream, 'idle');
  const delayMs = isIdle ? LONGEST_DELAY_MS : housekeepingDelayMs(stream, quietMs);
  // In this order: two timers go on until one of them finds the other's mark, none is lost.
  await sendDelayed(deps, { type: 'watch', videoId, uid }, delayMs);
  await records.markNextHousekeeping(stream, nowMs + delayMs, next.version);
}

async function lostSegments(
  deps: Deps,
  stream: Stream,
  run: number,
  from: number,
): Promise<{ run: number; number: number }[]> {
  if (run === 0) return [];
  const { records } = deps;
  const [numbers, outcomes] = await Promise.all([
    records.numbersFrom(stream, run, from, LOOK_AHEAD),
    records.outcomesFrom(stream, run, from, LOOK_AHEAD),
  ]);
  const settled = new Set(outcomes.map((outcome) => outcome.number));
  const lost: { run: number; number: number }[] = [];
  for (const number of numbers.filter((one) => !settled.has(one))) {
    const segment = await records.findSegment(stream, run, number);
    const ageMs = deps.clock.now() - (segment?.uploadedAtMs ?? 0);
    if (segment && ageMs >= LOST_JOB_MS) lost.push({ run, number });
  }
  return lost;
}
