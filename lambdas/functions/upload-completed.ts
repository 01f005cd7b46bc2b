import { loadInspection } from '../../lib/pipeline/ingest/upload.ts';
import { uploadCompletedHandler } from '../queue/upload-completed.ts';
import { afterStart } from '../runtime/after-start.ts';
import { queueFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

export const handler = queueFunction(uploadCompletedHandler, {
  media: mediaStore(),
  store: recordStore(),
  queues: workQueues('liveJobs', 'delayed', 'scaling'),
});

afterStart(loadInspection);
