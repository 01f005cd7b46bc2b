import { putStreamHandler } from '../api/put-stream.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = keyedFunction(putStreamHandler, {
  store: recordStore(),
  queues: workQueues('publish'),
});
