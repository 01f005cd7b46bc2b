import { viewThumbnailsHandler } from '../api/view.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';
import { queuesOnDemand } from '../runtime/queues-on-demand.ts';

export const handler = apiFunction(viewThumbnailsHandler, {
  media: mediaStore(),
  store: recordStore(),
  // For a long recording whose index is not stored yet.
  queues: queuesOnDemand('backfillJobs', 'scaling'),
});
