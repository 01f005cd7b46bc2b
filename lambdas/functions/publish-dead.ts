import { publishDeadHandler } from '../queue/publish.ts';
import { queueFunction } from '../runtime/entries.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = queueFunction(publishDeadHandler, { queues: workQueues('publish') });
