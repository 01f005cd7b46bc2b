import { delayedDeadHandler } from '../queue/delayed.ts';
import { queueFunction } from '../runtime/entries.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = queueFunction(delayedDeadHandler, { queues: workQueues('delayed') });
