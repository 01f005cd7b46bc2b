import { uploadHandler } from '../api/upload.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { inspection } from '../runtime/media-threads.ts';
import { recordStore } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

export const handler = keyedFunction(uploadHandler, {
  media: mediaStore(),
  inspection: inspection(),
  store: recordStore(),
  queues: workQueues('liveJobs', 'backfillJobs', 'delayed', 'scaling', 'publish'),
});
