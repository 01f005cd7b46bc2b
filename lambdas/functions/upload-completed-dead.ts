import { uploadCompletedDeadHandler } from '../queue/upload-completed.ts';
import { queueFunction } from '../runtime/entries.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = queueFunction(uploadCompletedDeadHandler, {
  queues: workQueues('uploadCompleted'),
});
