import { removeCaptionsHandler } from '../api/captions.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = keyedFunction(removeCaptionsHandler, {
  store: recordStore(),
  queues: workQueues('publish'),
});
