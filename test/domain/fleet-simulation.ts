/**
 * A day of a fleet, second by second: streams that upload, a queue that is nearly in order, workers
 * that take a minute to start, and the scaling evaluations as a deployment makes them.
 */

import {
  planWorkers,
  SCALING_FALLBACK_INTERVAL_MS,
  type ScalingLimits,
  type ScalingMemory,
} from '../../lib/domain/scaling.ts';

export type SimulatedStream = Readonly<{
  startSecond: number;
  endSecond: number;
  segmentSeconds: number;
}>;

export type Day = Readonly<{
  seconds: number;
  streams: readonly SimulatedStream[];
  /** At this second this share of the Spot workers is told to go. */
  spotLosses?: readonly Readonly<{ second: number; share: number }>[];
  limits: ScalingLimits;
  /** What a job really takes; the decision is only told `limits.secondsPerJob`. */
  trueSecondsPerJob: (random: () => number) => number;
  startSeconds: number;
  seed: number;
}>;

export type DayReport = Readonly<{
  jobs: number;
  longestWaitSeconds: number;
  /** Of the jobs that came more than ten minutes after the start of their stream. */
  longestLateWaitSeconds: number;
  longestIdleSeconds: number;
  mostWorkers: number;
  workersAtEnd: number;
  workerSeconds: number;
  busySlotSeconds: number;
  evaluations: number;
}>;

type Job = { atSecond: number; streamStart: number };
type Worker = {
  readyAt: number;
  spot: boolean;
  leaving: boolean;
  busyUntil: number[];
  idleSince: number;
};

/** How old the counts are that SQS tells. */
const COUNT_AGE_SECONDS = 2;
/** SQS hands out the oldest message nearly always, else one of those behind it. */
const OUT_OF_ORDER = { share: 0.2, reach: 4 };

export function simulateDay(day: Day): DayReport {
  const { limits, streams, startSeconds } = day;
  const random = mulberry32(day.seed);
  const arrivals = new Map<number, Job[]>();
  for (const { startSecond, endSecond, segmentSeconds } of streams) {
    for (let second = startSecond; second < endSecond; second += segmentSeconds) {
      const at = Math.min(day.seconds - 1, Math.floor(second + random()));
      arrivals.set(at, [...(arrivals.get(at) ?? []), { atSecond: at, streamStart: startSecond }]);
    }
  }
  const firstUploads = new Set(streams.map(({ startSecond }) => startSecond));
  const losses = new Map(day.spotLosses?.map(({ second, share }) => [second, share]));

  let workers: Worker[] = [];
  let desired = limits.min;
  const queue: Job[] = [];
  const counts: { backlog: number; inFlight: number }[] = [];
  let memory: ScalingMemory | undefined;
  let nextHousekeeping: number | undefined;
  let hasNewJob = false;
  const report = {
    jobs: 0,
    longestWaitSeconds: 0,
    longestLateWaitSeconds: 0,
    longestIdleSeconds: 0,
    mostWorkers: 0,
    workerSeconds: 0,
    busySlotSeconds: 0,
    evaluations: 0,
  };

  for (let now = 0; now < day.seconds; now += 1) {
    for (const worker of workers) {
      const before = worker.busyUntil.length;
      worker.busyUntil = worker.busyUntil.filter((until) => until > now);
      if (before > 0 && worker.busyUntil.length === 0) worker.idleSince = now;
    }
    const share = losses.get(now) ?? 0;
    for (const worker of workers) {
      if (worker.spot && worker.readyAt <= now && random() < share) worker.leaving = true;
    }
    workers = workers.filter(({ leaving, busyUntil }) => !leaving || busyUntil.length > 0);

    queue.push(...(arrivals.get(now) ?? []));
    // An upload calls for a look if none is on its way, or no worker is wanted by now.
    if (firstUploads.has(now) && (nextHousekeeping === undefined || desired === 0)) {
      nextHousekeeping = now;
      hasNewJob = true;
    }
    if (now % (SCALING_FALLBACK_INTERVAL_MS / 1000) === 0) nextHousekeeping ??= now;

    if (nextHousekeeping !== undefined && now >= nextHousekeeping) {
      const count = counts.at(-COUNT_AGE_SECONDS) ?? { backlog: 0, inFlight: 0 };
      const running = workers.filter(({ readyAt }) => readyAt <= now).length;
      const look = { nowMs: now * 1000, desired, running, ...count, hasNewJob };
      const plan = planWorkers(look, limits, memory);
      ({ desired, memory } = plan);
      const { evaluateAgainInMs } = plan;
      nextHousekeeping =
        evaluateAgainInMs === undefined ? undefined : now + evaluateAgainInMs / 1000;
      hasNewJob = false;
      report.evaluations += 1;
    }

    const staying = workers.filter(({ leaving }) => !leaving);
    for (let missing = desired - staying.length; missing > 0; missing -= 1) {
      const spot = staying.some((worker) => !worker.spot);
      const worker = {
        readyAt: now + startSeconds,
        spot,
        leaving: false,
        busyUntil: [],
        idleSince: now + startSeconds,
      };
      workers.push(worker);
      staying.push(worker);
    }
    // Workers at work are protected from scale-in.
    const idle = staying.filter(({ busyUntil }) => busyUntil.length === 0);
    idle.sort((a, b) => a.idleSince - b.idleSince);
    for (const worker of idle.slice(0, Math.max(0, staying.length - desired))) {
      workers.splice(workers.indexOf(worker), 1);
    }

    const slots = workers
      .filter(({ readyAt, leaving }) => readyAt <= now && !leaving)
      .flatMap((worker) =>
        Array.from({ length: limits.jobsPerWorker - worker.busyUntil.length }, () => worker),
      );
    for (const worker of shuffled(slots, random)) {
      const reach = random() < OUT_OF_ORDER.share ? OUT_OF_ORDER.reach : 1;
      const [job] = queue.splice(Math.floor(random() * Math.min(reach, queue.length)), 1);
      if (!job) break;
      const wait = now - job.atSecond;
      report.jobs += 1;
      report.longestWaitSeconds = Math.max(report.longestWaitSeconds, wait);
      if (job.atSecond - job.streamStart > 600) {
        report.longestLateWaitSeconds = Math.max(report.longestLateWaitSeconds, wait);
      }
      worker.busyUntil.push(now + day.trueSecondsPerJob(random));
    }
    for (const { readyAt, busyUntil, idleSince } of workers) {
      if (busyUntil.length > 0 || readyAt > now) continue;
      report.longestIdleSeconds = Math.max(report.longestIdleSeconds, now - idleSince);
    }
    const inFlight = workers.reduce((sum, { busyUntil }) => sum + busyUntil.length, 0);
    counts.push({ backlog: queue.length, inFlight });
    report.mostWorkers = Math.max(report.mostWorkers, workers.length);
    report.workerSeconds += workers.length;
    report.busySlotSeconds += inFlight;
  }
  const workersAtEnd = workers.length;
  return { ...report, workersAtEnd, jobs: queue.length > 0 ? Number.NaN : report.jobs };
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const result = [...values];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [result[index], result[other]] = [result[other] as T, result[index] as T];
  }
  return result;
}

/** The same numbers in every run. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
