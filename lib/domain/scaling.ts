/**
 * The scaling decision, for every engine: a snapshot of queues and fleet gives the number of workers.
 * What an evaluation needs of earlier ones is its memory. Evaluations come every ten seconds while
 * there is work.
 */

export type FleetSnapshot = Readonly<{
  nowMs: number;
  /** Workers that were asked for. */
  desired: number;
  /** Workers that run: fewer while some start, more while surplus ones finish their jobs. */
  running: number;
  /** Jobs that no worker has taken. */
  backlog: number;
  /** Jobs that workers have taken and not finished. */
  inFlight: number;
  /** A job was queued just now: the counts may be too old to show it. */
  hasNewJob: boolean;
}>;

export type ScalingLimits = Readonly<{
  min: number;
  max: number;
  /** Jobs that one worker does at once. */
  jobsPerWorker: number;
  /** Of a worker that does `jobsPerWorker` at once; a rough figure is enough. */
  secondsPerJob: number;
  /** A worker that was not needed for this long is stopped. */
  idleMs: number;
}>;

export type ScalingMemory = Readonly<{
  evaluatedAtMs: number;
  desired: number;
  /** Jobs that waited although every slot was taken. */
  waiting: number;
  /** Evaluations of the last `idleMs` that found more workers needed than any evaluation after them. */
  needed: readonly Readonly<{ atMs: number; workers: number }>[];
}>;

export type ScalingPlan = Readonly<{
  desired: number;
  memory: ScalingMemory;
  /** Absent: the system is idle, and the next job requests an evaluation. */
  evaluateAgainInMs?: number;
}>;

export const SCALING_INTERVAL_MS = 10_000;

/** Evaluations without a request, in case one is lost. */
export const SCALING_FALLBACK_INTERVAL_MS = 5 * 60_000;

/** A stream's pause shorter than this costs no cold start; at list prices it is about half a cent. */
export const DEFAULT_IDLE_MS = 5 * 60_000;

/** A segment of six seconds in the default ladder, on one core. */
export const DEFAULT_SECONDS_PER_JOB = 4;

/** A backlog that grew while workers were starting is worked off in about this time. */
const CATCH_UP_SECONDS = 30;

/** Evaluations within the idle time, at least: a moment between two jobs is not idleness. */
const EVALUATIONS_WHILE_IDLE = 4;

/** Counts are a few seconds old and jump: growth over less time than this is noise. */
const SHORTEST_INTERVAL_MS = SCALING_INTERVAL_MS / 2;

/**
 * Grows in one step to what is needed now, and goes down to the most that was needed in the last
 * `idleMs`. Busy slots show what the present load takes (Little's law); jobs that wait beyond them
 * show by their growth what load has come on top, and by their number what is to be worked off.
 *
 * The age of the oldest job is left out: SQS's metric of it is minutes old.
 */
export function planWorkers(
  snapshot: FleetSnapshot,
  limits: ScalingLimits,
  memory?: ScalingMemory,
): ScalingPlan {
  const { nowMs, running, inFlight, hasNewJob } = snapshot;
  const { min, max, jobsPerWorker, secondsPerJob, idleMs } = limits;
  const isUncounted = hasNewJob && snapshot.backlog + inFlight === 0;
  const backlog = isUncounted ? 1 : snapshot.backlog;
  const freeSlots = Math.max(0, running * jobsPerWorker - inFlight);
  const waiting = Math.max(0, backlog - freeSlots);

  const sinceMs = nowMs - (memory?.evaluatedAtMs ?? Number.NEGATIVE_INFINITY);
  const intervalMs = Math.min(SCALING_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, sinceMs));
  // After a long time without an evaluation all of it counts as new.
  const before = sinceMs > 2 * SCALING_INTERVAL_MS ? 0 : (memory?.waiting ?? 0);
  const growthPerSecond = Math.max(0, waiting - before) / (intervalMs / 1000);

  const busySlots = inFlight + secondsPerJob * (growthPerSecond + waiting / CATCH_UP_SECONDS);
  const forJobs = Math.max(backlog > 0 ? 1 : 0, Math.ceil(busySlots / jobsPerWorker));
  // More than evaluations have asked for: raised by hand, which is respected.
  const raised = snapshot.desired > (memory?.desired ?? 0) ? snapshot.desired : 0;

  const now = { atMs: nowMs, workers: Math.max(forJobs, raised) };
  // One from the future is from before the clock was set back.
  const isRecent = ({ atMs }: typeof now) => atMs > nowMs - idleMs && atMs <= nowMs;
  const matters = (one: typeof now) => isRecent(one) && one.workers > now.workers;
  const needed = [...(memory?.needed ?? []).filter(matters), now];
  const most = Math.max(...needed.map(({ workers }) => workers));
  const desired = Math.min(max, Math.max(min, most));
  const plan = { desired, memory: { evaluatedAtMs: nowMs, desired, waiting, needed } };
  // Above the minimum there is something to stop later; a change is evaluated once more.
  const isQuiet = desired <= min && snapshot.desired === desired && backlog + inFlight === 0;
  const evaluateAgainInMs = Math.min(SCALING_INTERVAL_MS, idleMs / EVALUATIONS_WHILE_IDLE);
  return isQuiet ? plan : { ...plan, evaluateAgainInMs };
}
