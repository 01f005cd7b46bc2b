import { viewPictureHandler } from '../api/view-picture.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';
import { queuesOnDemand } from '../runtime/queues-on-demand.ts';

export const handler = apiFunction(viewPictureHandler, {
  media: mediaStore(),
  store: recordStore(),
  // For a picture that is not made yet.
  queues: queuesOnDemand('backfillJobs', 'scaling'),
});
