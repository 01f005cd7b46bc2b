import { jobsDeadHandler } from '../queue/jobs.ts';
import { queueFunction } from '../runtime/entries.ts';
import { measure } from '../runtime/observability.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

const parts = { store: recordStore(), queues: workQueues('publish') };

export const handler = queueFunction(jobsDeadHandler, parts, async (bodies) => {
  measure.count('SegmentsLost', bodies.length);
});
