/**
 * How many workers there should be. One look at the queue and the fleet gives one decision; what a
 * look must know of those before it is its memory. Looks come every ten seconds while there is work.
 */

export type FleetLook = Readonly<{
  nowMs: number;
  /** Workers that take jobs. */
  running: number;
  /** Workers asked for that do not take jobs yet. */
  starting: number;
  /** Jobs that no worker has taken. */
  backlog: number;
  /** Jobs that workers have taken and not finished. */
  inFlight: number;
}>;

export type ScalingLimits = Readonly<{
  min: number;
  max: number;
  /** Jobs that one worker does at once. */
  jobsPerWorker: number;
  /** Of a worker that does `jobsPerWorker` at once. A rough figure will do. */
  secondsPerJob: number;
  /** A worker that was not needed for so long goes. */
  idleMs: number;
}>;

export type ScalingMemory = Readonly<{
  lookedAtMs: number;
  desired: number;
  /** Jobs that waited although every slot was taken. */
  waiting: number;
  /** The looks of the last `idleMs`, and how many workers each found needed. */
  needed: readonly Readonly<{ atMs: number; workers: number }>[];
}>;

export type ScalingPlan = Readonly<{
  desired: number;
  memory: ScalingMemory;
  /** Whether to look again in `LOOK_INTERVAL_MS`; if not, the next upload of a new run calls for a look. */
  lookAgain: boolean;
}>;

export const LOOK_INTERVAL_MS = 10_000;

/** A stream's pause shorter than this costs no cold start; at list prices it is about half a cent. */
export const DEFAULT_IDLE_MS = 5 * 60_000;

/** What has queued up while workers were starting is worked off in about this time. */
const CATCH_UP_SECONDS = 30;

/** Counts are a few seconds old and jump: growth over less time than this is noise. */
const SHORTEST_INTERVAL_MS = LOOK_INTERVAL_MS / 2;

/**
 * Grows in one step to what is needed now, and goes down to the most that was needed in the last
 * `idleMs`. Busy slots show what the present load takes (Little's law); jobs that wait beyond them
 * show by their growth what load has come on top, and by their number what is to be worked off.
 *
 * The age of the oldest job is left out: SQS tells it by a metric that is minutes old.
 */
export function planWorkers(
  look: FleetLook,
  limits: ScalingLimits,
  memory?: ScalingMemory,
): ScalingPlan {
  const { nowMs, running, starting, backlog, inFlight } = look;
  const { min, max, jobsPerWorker, secondsPerJob, idleMs } = limits;
  const freeSlots = Math.max(0, running * jobsPerWorker - inFlight);
  const waiting = Math.max(0, backlog - freeSlots);

  const sinceMs = nowMs - (memory?.lookedAtMs ?? Number.NEGATIVE_INFINITY);
  const intervalMs = Math.min(LOOK_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, sinceMs));
  // After a long time without a look all of it counts as new.
  const before = sinceMs > 2 * LOOK_INTERVAL_MS ? 0 : (memory?.waiting ?? 0);
  const growthPerSecond = Math.max(0, waiting - before) / (intervalMs / 1000);

  const busySlots = inFlight + secondsPerJob * (growthPerSecond + waiting / CATCH_UP_SECONDS);
  const forJobs = Math.max(backlog > 0 ? 1 : 0, Math.ceil(busySlots / jobsPerWorker));
  // Somebody has raised the number since the last look: an upload whose job may not be countable yet.
  const current = running + starting;
  const raised = current > (memory?.desired ?? 0) ? current : 0;

  const needed = [
    ...(memory?.needed ?? []).filter(({ atMs }) => atMs > nowMs - idleMs),
    { atMs: nowMs, workers: Math.max(forJobs, raised) },
  ];
  const most = Math.max(...needed.map(({ workers }) => workers));
  const desired = Math.min(max, Math.max(min, most));
  return {
    desired,
    memory: { lookedAtMs: nowMs, desired, waiting, needed },
    // Above the floor there is something to take away later; a change is looked at once more.
    lookAgain: desired > min || current !== desired || backlog + inFlight > 0,
  };
}
