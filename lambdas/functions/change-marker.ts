import { changeMarkerHandler } from '../api/markers.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

export const handler = keyedFunction(changeMarkerHandler, {
  store: recordStore(),
  queues: workQueues('publish'),
});
