import { delayedHandler } from '../queue/delayed.ts';
import { queueFunction } from '../runtime/entries.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

export const handler = queueFunction(delayedHandler, {
  store: recordStore(),
  queues: workQueues('liveJobs', 'publish', 'delayed', 'scaling'),
});
