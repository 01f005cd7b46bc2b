/** A worker: takes jobs of all kinds from the queues, the most urgent class first, and does them. */

import { atLowPriority } from '../../ffmpeg/run.ts';
import type { WorkerDeps } from '../deps.ts';
import { JOB_QUEUES, type JobResult } from './job-kind.ts';
import { cachePuts } from './put-cache.ts';
import { JOBS, type JobRegistry } from './registry.ts';
import { WorkerLoop } from './worker-loop.ts';

export type WorkerOptions = Readonly<{
  deps: WorkerDeps;
  jobs?: JobRegistry;
  /** Jobs at once. */
  concurrency: number;
  workFolder: string;
  report: (error: unknown, what: string) => void;
  /** Runs a job; for what a process does around each. */
  around?: (body: string, run: () => Promise<JobResult>) => Promise<JobResult>;
  /** Of each job; the worker's own, if it is left out. */
  leaseMs?: number;
}>;

/** Starts at once. */
export function startWorker(options: WorkerOptions): WorkerLoop {
  const { jobs = JOBS, concurrency, workFolder, report, around = (_, run) => run() } = options;
  const { leaseMs } = options;
  const deps = { ...options.deps, media: cachePuts(options.deps.media) };
  return new WorkerLoop({
    queues: jobs.classes.map((one) => deps.queues[JOB_QUEUES[one]]),
    concurrency,
    run: ({ body, signal, isUrgent, exclusive }) => {
      const threads = exclusive ? {} : { threads: 1 };
      const run = () => jobs.run(deps, body, { workFolder, signal, ...threads });
      // What no live viewer waits for leaves the cores to what they do wait for.
      return around(body, isUrgent ? run : () => atLowPriority(run));
    },
    report,
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
}
