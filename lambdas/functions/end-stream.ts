import { endStreamHandler } from '../api/upload-end.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

export const handler = keyedFunction(endStreamHandler, {
  store: recordStore(),
  queues: workQueues('publish'),
});
