import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planWorkers, type ScalingLimits, type ScalingMemory } from '../../lib/domain/scaling.ts';
import {
  type Day,
  type DayReport,
  mulberry32,
  type SimulatedStream,
  simulateDay,
} from './fleet-simulation.ts';

const HOUR = 3600;
const START_SECONDS = 60;
const LIMITS: ScalingLimits = {
  min: 0,
  max: 200,
  jobsPerWorker: 2,
  secondsPerJob: 4,
  idleMs: 5 * 60_000,
};

/** Single jobs take from 0.7 to 1.3 times the mean. */
const around = (mean: number) => (random: () => number) =>
  Math.max(1, Math.round(mean * (0.7 + 0.6 * random())));

const runDay = (day: Pick<Day, 'streams'> & Partial<Day>): DayReport =>
  simulateDay({
    seconds: 24 * HOUR,
    limits: LIMITS,
    trueSecondsPerJob: around(LIMITS.secondsPerJob),
    startSeconds: START_SECONDS,
    seed: 7,
    ...day,
  });

function assertServed(report: DayReport, limits = LIMITS): void {
  const { jobs, longestWaitSeconds, longestIdleSeconds, workersAtEnd } = report;
  assert.ok(jobs > 0, 'jobs are left over');
  assert.ok(longestWaitSeconds <= START_SECONDS + 10, `a job waited ${longestWaitSeconds} s`);
  // One look may come just before a worker's time is over; the next is ten seconds later.
  assert.ok(longestIdleSeconds <= limits.idleMs / 1000 + 20, `idle for ${longestIdleSeconds} s`);
  assert.equal(workersAtEnd, limits.min);
}

/** Streams that come and go all day long, until two hours before its end. */
function scattered(count: number, seed: number): SimulatedStream[] {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => {
    const startSecond = Math.floor(random() * 20 * HOUR);
    const endSecond = startSecond + 600 + Math.floor(random() * 1.8 * HOUR);
    return { startSecond, endSecond, segmentSeconds: 2 + Math.floor(random() * 5) };
  });
}

const burst = (count: number, startSecond: number, seconds = 2 * HOUR): SimulatedStream[] =>
  Array.from({ length: count }, (_, index) => ({
    startSecond: startSecond + (index % 5),
    endSecond: startSecond + seconds,
    segmentSeconds: 4,
  }));

describe('scaling over a simulated day', () => {
  test('a day without a stream starts no worker and evaluates only now and then', () => {
    const report = runDay({ streams: [] });
    assert.equal(report.workerSeconds, 0);
    assert.ok(report.evaluations <= 24 * 12);
  });

  test('one stream runs few workers, and none remains after it', () => {
    const stream = { startSecond: 1000, endSecond: 4 * HOUR, segmentSeconds: 4 };
    const report = runDay({ streams: [stream] });
    assertServed(report);
    assert.ok(report.mostWorkers <= 4, `${report.mostWorkers}`);
    const stayed = report.workerSeconds / (stream.endSecond - stream.startSecond);
    assert.ok(stayed <= 1.25, `${stayed} workers on average`);
  });

  test('a burst of 60 streams has enough workers one start time later', () => {
    const report = runDay({ streams: burst(60, 2 * HOUR) });
    assertServed(report);
    // 60 jobs are under way at any time, two on a worker; catching up takes others for a while.
    assert.ok(report.workerSeconds <= 1.6 * (report.busySlotSeconds / 2));
  });

  test('300 streams that come and go are all served', () => {
    const report = runDay({ streams: scattered(300, 5) });
    assertServed(report);
    assert.ok(report.workerSeconds <= 1.5 * (report.busySlotSeconds / 2));
  });

  test('bursts on top of an existing load are served as well', () => {
    assertServed(
      runDay({ streams: [...scattered(150, 9), ...burst(40, 6 * HOUR), ...burst(80, 15 * HOUR)] }),
    );
  });

  test('streams survive the loss of all Spot workers at once, again and again', () => {
    const spotLosses = [4, 8, 8.05, 12, 16].map((hour) => ({ second: hour * HOUR, share: 1 }));
    assertServed(runDay({ streams: scattered(300, 5), spotLosses }));
    const every20Minutes = Array.from({ length: 60 }, (_, index) => ({
      second: 1200 * (index + 1),
      share: 0.3,
    }));
    assertServed(runDay({ streams: scattered(300, 6), spotLosses: every20Minutes }));
  });

  test('the results hold for other seeds', () => {
    for (const seed of [1, 2, 3, 4]) {
      assertServed(runDay({ seed, streams: scattered(80, seed), trueSecondsPerJob: around(3) }));
    }
  });

  test('jobs that take nearly twice as long as configured get the workers that they need', () => {
    const report = runDay({ streams: scattered(200, 3), trueSecondsPerJob: around(7) });
    assert.ok(report.jobs > 0);
    assert.ok(report.longestWaitSeconds <= START_SECONDS + 30, `${report.longestWaitSeconds} s`);
    assert.equal(report.workersAtEnd, 0);
  });

  test('the number of workers stays within its minimum and maximum', () => {
    const limits = { ...LIMITS, min: 1, max: 5 };
    const report = runDay({ streams: burst(20, 2 * HOUR, 1800), limits });
    assert.equal(report.mostWorkers, 5);
    assert.equal(report.workersAtEnd, 1);
    assert.ok(report.jobs > 0, 'what queued up is done in the end');
  });
});

describe('one scaling evaluation', () => {
  const look = (
    counts: Partial<Parameters<typeof planWorkers>[0]>,
    memory?: ScalingMemory,
    limits = LIMITS,
  ) =>
    planWorkers(
      {
        nowMs: 0,
        running: 0,
        desired: counts.running ?? 0,
        backlog: 0,
        inFlight: 0,
        hasNewJob: false,
        ...counts,
      },
      limits,
      memory,
    );

  test('an idle deployment needs no worker and no further evaluation', () => {
    assert.deepEqual([look({}).desired, look({}).evaluateAgainInMs], [0, undefined]);
  });

  test('the fleet grows in one step to what the backlog needs', () => {
    // 40 jobs in ten seconds are 16 slots of four seconds; five more work them off in half a minute.
    assert.equal(look({ backlog: 40 }).desired, 11);
    assert.equal(look({ backlog: 1 }).desired, 1);
  });

  test('jobs that free workers are about to take are no backlog', () => {
    assert.equal(look({ running: 10, inFlight: 4, backlog: 16 }).desired, 10);
    const { memory } = look({ running: 3, inFlight: 6 });
    assert.equal(look({ nowMs: 10_000, running: 3, inFlight: 1, backlog: 5 }, memory).desired, 3);
  });

  test('a number of workers that was raised by hand stays for the idle time', () => {
    const { memory } = look({});
    const plan = look({ nowMs: 10_000, desired: 3 }, memory);
    assert.deepEqual([plan.desired, plan.evaluateAgainInMs], [3, 10_000]);
    assert.equal(look({ nowMs: 10_000 + LIMITS.idleMs, running: 3 }, plan.memory).desired, 0);
  });

  test('the memory holds only evaluations that may still matter', () => {
    const first = look({ running: 4, inFlight: 8 });
    const second = look({ nowMs: 10_000, running: 4, inFlight: 2 }, first.memory);
    const third = look({ nowMs: 20_000, running: 4, inFlight: 6 }, second.memory);
    assert.deepEqual(third.memory.needed, [
      { atMs: 0, workers: 4 },
      { atMs: 20_000, workers: 3 },
    ]);
    const after = look({ nowMs: LIMITS.idleMs, running: 4, inFlight: 0 }, third.memory);
    assert.equal(after.desired, 3);
  });

  test('workers that finish their last jobs are not asked for again', () => {
    const { memory } = look({ desired: 2, running: 2 }, { ...look({}).memory, desired: 2 });
    assert.equal(memory.desired, 0);
    assert.equal(look({ nowMs: 10_000, desired: 0, running: 2 }, memory).desired, 0);
  });

  test('a new job that is not counted yet starts a worker, which stays until it is', () => {
    const first = look({ hasNewJob: true });
    assert.deepEqual([first.desired, first.evaluateAgainInMs], [1, 10_000]);
    assert.equal(look({ nowMs: 10_000, desired: 1 }, first.memory).desired, 1);
  });

  test('a new job adds nothing where jobs are counted already', () => {
    assert.equal(look({ running: 1, inFlight: 2, hasNewJob: true }).desired, 1);
    assert.equal(look({ backlog: 40, hasNewJob: true }).desired, look({ backlog: 40 }).desired);
  });

  test('evaluations come four times in a short idle time, and at least every ten seconds', () => {
    const after = (idleMs: number) =>
      look({ backlog: 1 }, undefined, { ...LIMITS, idleMs }).evaluateAgainInMs;
    assert.deepEqual([1000, 20_000, 60_000].map(after), [250, 5000, 10_000]);
  });

  test('evaluations go on while there is a job, even where the maximum is zero', () => {
    const none = { ...LIMITS, max: 0 };
    assert.deepEqual(look({ inFlight: 1 }, undefined, none).desired, 0);
    assert.equal(look({ inFlight: 1 }, undefined, none).evaluateAgainInMs, 10_000);
  });

  test('workers are stopped only when they were not needed for the whole idle time', () => {
    let plan = look({ running: 6, inFlight: 12 });
    const at = (nowMs: number) => {
      plan = look({ nowMs, running: plan.desired }, plan.memory);
      return plan.desired;
    };
    for (let nowMs = 10_000; nowMs < LIMITS.idleMs; nowMs += 10_000) assert.equal(at(nowMs), 6);
    assert.equal(at(LIMITS.idleMs), 0);
    assert.equal(plan.evaluateAgainInMs, 10_000, 'the change itself is looked at');
    assert.equal(at(LIMITS.idleMs + 10_000), 0);
    assert.equal(plan.evaluateAgainInMs, undefined);
  });
});
