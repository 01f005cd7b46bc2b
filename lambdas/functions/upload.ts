import { loadInspection } from '../../lib/pipeline/ingest/upload.ts';
import { uploadHandler } from '../api/upload.ts';
import { afterStart } from '../runtime/after-start.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

export const handler = keyedFunction(uploadHandler, {
  media: mediaStore(),
  store: recordStore(),
  queues: workQueues('liveJobs', 'delayed', 'scaling'),
});

afterStart(loadInspection);
