import { viewCaptionsHandler } from '../api/view-captions.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';
import { queuesOnDemand } from '../runtime/queues-on-demand.ts';

export const handler = apiFunction(viewCaptionsHandler, {
  media: mediaStore(),
  store: recordStore(),
  // For the file of a long recording that is not made yet.
  queues: queuesOnDemand('backfillJobs', 'scaling'),
});
