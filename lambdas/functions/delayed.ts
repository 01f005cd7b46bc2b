import { delayedHandler } from '../queue/delayed.ts';
import { queueFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = queueFunction(delayedHandler, {
  store: recordStore(),
  queues: workQueues('liveJobs', 'backfillJobs', 'analysisJobs', 'publish', 'delayed', 'scaling'),
});
