/** Worker processes on this machine: how many there are is decided as on AWS. */

import { scalingHandler } from '../../lambdas/queue/handlers.ts';
import {
  DEFAULT_SECONDS_PER_JOB,
  SCALING_FALLBACK_INTERVAL_MS,
  type ScalingLimits,
} from '../../lib/domain/scaling.ts';
import {
  ChildProcessFleet,
  type ChildProcessFleetOptions,
} from '../../lib/embedded/child-process-fleet.ts';
import type { ServerConfig } from '../../lib/embedded/embedded-config.ts';
import { QueuePoller } from '../../lib/embedded/queue-poller.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { sendScalingRequest } from '../../lib/pipeline/messages.ts';
import { resumeScaling } from '../../lib/pipeline/upkeep/scaling.ts';
import { report, WORKERS_GRACE_MS } from './running-system.ts';

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
    sendScalingRequest(deps, {}).catch((error) =>
      report(error, 'calling for a look at the workers'),
    );
  }, SCALING_FALLBACK_INTERVAL_MS);
  const poller = new QueuePoller({
    name: 'looks',
    queue: deps.queues.looks,
    handler: scalingHandler(deps, scalingLimits(config)),
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
