import { loadInspection } from '../../lib/pipeline/ingest/upload.ts';
import { uploadCompletedHandler } from '../queue/upload-completed.ts';
import { afterStart } from '../runtime/after-start.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, recordStore, workQueues } from '../runtime/ports.ts';

const deps = functionDeps({
  media: mediaStore(),
  store: recordStore(),
  queues: workQueues('liveJobs', 'delayed', 'scaling'),
});

afterStart(loadInspection);

export const handler = observedQueue(uploadCompletedHandler(deps));
