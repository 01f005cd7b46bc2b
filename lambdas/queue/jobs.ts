/** Handler of the dead letters of all queues of jobs: jobs that no worker could do. */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { queueHandler } from '../runtime/middleware.ts';

export const jobsDeadHandler = (deps: Deps, jobs = JOBS) =>
  queueHandler({ parse: (job) => JSON.stringify(job) }, (job) =>
    jobs.giveUp(deps, job, 'every attempt failed'),
  );
