/** Worker processes on this machine: how many there are is decided as on AWS. */

import { looksHandler } from '../lambdas/queues.ts';
import type { ServerConfig } from '../lib/config.ts';
import {
  DEFAULT_SECONDS_PER_JOB,
  type ScalingLimits,
  UNCALLED_LOOK_INTERVAL_MS,
} from '../lib/domain/scaling.ts';
import {
  ChildProcessFleet,
  type ChildProcessFleetOptions,
} from '../lib/embedded/child-process-fleet.ts';
import { QueuePoller } from '../lib/embedded/queue-poller.ts';
import type { Deps } from '../lib/pipeline/deps.ts';
import { sendLook } from '../lib/pipeline/messages.ts';
import { resumeScaling } from '../lib/pipeline/scale.ts';
import { report, WORKERS_GRACE_MS } from './serving.ts';

export type LocalFleetOptions = Pick<ChildProcessFleetOptions, 'module' | 'env' | 'jobsOf'> &
  Readonly<{ onGone?: (owner: string) => void }>;

/** Says of each worker that crashed how it ended. */
export function localFleet({ onGone, ...options }: LocalFleetOptions): ChildProcessFleet {
  return new ChildProcessFleet({
    ...options,
    graceMs: WORKERS_GRACE_MS,
    onExit: ({ owner, code, signal, restartInMs }) => {
      onGone?.(owner);
      if (restartInMs === undefined) return;
      const how = signal ?? `code ${code}`;
      report(new Error(`Worker ${owner} ended (${how}); next in ${restartInMs} ms`), 'workers');
    },
  });
}

/** Carries out the looks that are called for, beginning with one of its own. */
export async function keepScaled(
  deps: Deps,
  config: ServerConfig,
): Promise<Readonly<{ stop(): Promise<void> }>> {
  await resumeScaling(deps);
  const timer = setInterval(() => {
    sendLook(deps, {}).catch((error) => report(error, 'calling for a look at the workers'));
  }, UNCALLED_LOOK_INTERVAL_MS);
  const poller = new QueuePoller({
    name: 'looks',
    queue: deps.queues.looks,
    handler: looksHandler(deps, scalingLimits(config)),
    concurrentBatches: 1,
    report,
  });
  return {
    stop: async () => {
      clearInterval(timer);
      await poller.stop();
    },
  };
}

const scalingLimits = ({ workers, jobs, idleMs }: ServerConfig): ScalingLimits => ({
  min: 0,
  max: workers,
  jobsPerWorker: jobs,
  secondsPerJob: DEFAULT_SECONDS_PER_JOB,
  idleMs,
});
