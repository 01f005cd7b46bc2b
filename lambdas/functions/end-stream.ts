import { endStreamHandler } from '../api/upload-end.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = keyedFunction(endStreamHandler, {
  store: recordStore(),
  queues: workQueues('publish'),
});
