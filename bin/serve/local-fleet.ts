/** Worker processes on this machine; their number is decided as on AWS. */

import { reportError } from '../../lib/base/log.ts';
import { pause } from '../../lib/base/retry.ts';
import { DomainError } from '../../lib/domain/errors.ts';
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
import type { Deps } from '../../lib/pipeline/deps.ts';
import { sendScalingRequest } from '../../lib/pipeline/messages.ts';
import { resumeScaling } from '../../lib/pipeline/upkeep/scaling.ts';
import { WORKERS_GRACE_MS } from './running-system.ts';

const RESUME_INTERVAL_MS = 5_000;

export type LocalFleetOptions = Pick<ChildProcessFleetOptions, 'module' | 'env' | 'jobsOf'> &
  Readonly<{ onGone?: (owner: string) => void }>;

/** Reports how each worker ended that crashed. */
export function localFleet({ onGone, ...options }: LocalFleetOptions): ChildProcessFleet {
  return new ChildProcessFleet({
    ...options,
    graceMs: WORKERS_GRACE_MS,
    onExit: ({ owner, code, signal, restartInMs }) => {
      onGone?.(owner);
      if (restartInMs === undefined) return;
      const how = signal ?? `code ${code}`;
      reportError(
        new Error(`Worker ${owner} ended (${how}); next in ${restartInMs} ms`),
        'workers',
      );
    },
  });
}

/** Requests scaling at the start, and now and then for the case that a request is lost. */
export async function startScaling(deps: Deps): Promise<Readonly<{ stop(): void }>> {
  const stopping = new AbortController();
  if (!(await resume(deps))) void resumeLater(deps, stopping.signal);
  const timer = setInterval(() => {
    sendScalingRequest(deps, {}).catch((error) => reportError(error, 'requesting scaling'));
  }, SCALING_FALLBACK_INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      stopping.abort();
    },
  };
}

/** false while the disk takes nothing: recordings can be watched all the same. */
async function resume(deps: Deps): Promise<boolean> {
  try {
    await resumeScaling(deps);
    return true;
  } catch (error) {
    if (!(error instanceof DomainError) || !error.isPassing) throw error;
    reportError(error, 'resuming scaling');
    return false;
  }
}

async function resumeLater(deps: Deps, signal: AbortSignal): Promise<void> {
  do await pause(RESUME_INTERVAL_MS, signal);
  while (!signal.aborted && !(await resume(deps)));
}

export const scalingLimits = ({ workers, jobs, idleMs }: ServerConfig): ScalingLimits => ({
  min: 0,
  max: workers,
  jobsPerWorker: jobs,
  secondsPerJob: DEFAULT_SECONDS_PER_JOB,
  idleMs,
});
