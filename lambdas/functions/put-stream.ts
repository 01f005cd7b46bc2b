import { putStreamHandler } from '../api/put-stream.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

export const handler = keyedFunction(putStreamHandler, {
  store: recordStore(),
  queues: workQueues('publish'),
});
