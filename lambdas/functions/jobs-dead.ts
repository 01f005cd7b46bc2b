import { jobsDeadHandler } from '../queue/handlers.ts';
import { measure, observedQueue } from '../runtime/observability.ts';
import { functionDeps, recordStore, workQueue } from '../runtime/ports.ts';

const deps = functionDeps({ store: recordStore(), queues: { publish: workQueue('publish') } });

export const handler = observedQueue(jobsDeadHandler(deps), async (bodies) => {
  measure.count('SegmentsLost', bodies.length);
});
