import { viewClipHandler } from '../api/view-clip.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';
import { queuesOnDemand } from '../runtime/queues-on-demand.ts';

export const handler = apiFunction(viewClipHandler, {
  media: mediaStore(),
  store: recordStore(),
  // For a file that is not made yet.
  queues: queuesOnDemand('backfillJobs', 'scaling'),
});
