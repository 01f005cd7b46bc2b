import { loadInspection } from '../../lib/pipeline/ingest/upload.ts';
import { uploadHandler } from '../api/upload.ts';
import { afterStart } from '../runtime/after-start.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { observedApi } from '../runtime/observability.ts';
import { ownerKeyFromSecret } from '../runtime/owner-key.ts';
import { functionDeps, recordStore, workQueues } from '../runtime/ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({
  media: mediaStore(),
  store: recordStore(),
  queues: workQueues('liveJobs', 'delayed', 'scaling'),
  ownerKey,
});

afterStart(loadInspection);

export const handler = observedApi(uploadHandler(deps), ownerKey.refresh);
