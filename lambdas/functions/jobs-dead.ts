import { jobsDeadHandler } from '../queue/jobs.ts';
import { measure, observedQueue } from '../runtime/observability.ts';
import { functionDeps, recordStore, workQueues } from '../runtime/ports.ts';

const deps = functionDeps({ store: recordStore(), queues: workQueues('publish') });

export const handler = observedQueue(jobsDeadHandler(deps), async (bodies) => {
  measure.count('SegmentsLost', bodies.length);
});
