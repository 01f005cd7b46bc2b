/** Queues jobs for the workers, each on the queue of its kind's class. */

import type { Ports } from '../../ports/ports.ts';
import { JOB_QUEUES, type JobBody, type JobKind } from './job-kind.ts';

/** The group is the stream: a queue shares its receivers among those. */
export const enqueueJobs = <Body extends JobBody>(
  { queues }: Pick<Ports, 'queues'>,
  kind: JobKind<Body>,
  jobs: readonly Body[],
  delayMs?: number,
): Promise<void> =>
  queues[JOB_QUEUES[kind.class]].send(
    jobs.map((job) => ({
      body: JSON.stringify({ kind: kind.name, ...job }),
      group: job.uid,
      ...(delayMs !== undefined && { delayMs }),
    })),
  );
