import { viewMetadataHandler } from '../api/view.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';
import { queuesOnDemand } from '../runtime/queues-on-demand.ts';

export const handler = apiFunction(viewMetadataHandler, {
  media: mediaStore(),
  store: recordStore(),
  // For the MPD of a recording that is long, and not stored yet.
  queues: queuesOnDemand('backfillJobs', 'scaling'),
});
