import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { jobsDeadHandler } from '../queue/jobs.ts';
import { queueFunction } from '../runtime/entries.ts';
import { measure } from '../runtime/observability.ts';
import { recordStore } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

const parts = { store: recordStore(), queues: workQueues('publish') };

export const handler = queueFunction(jobsDeadHandler, parts, async (bodies) => {
  measure.count('SegmentsLost', bodies.filter(JOBS.blocksPublishing).length);
});
