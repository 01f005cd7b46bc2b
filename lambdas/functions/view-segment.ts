import { viewSegmentHandler } from '../api/view-segment.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { remuxing } from '../runtime/media-threads.ts';
import { recordStore } from '../runtime/ports.ts';
import { queuesOnDemand } from '../runtime/queues-on-demand.ts';

export const handler = apiFunction(viewSegmentHandler, {
  media: mediaStore(),
  remuxing: remuxing(),
  store: recordStore(),
  // For a file that a job makes.
  queues: queuesOnDemand('backfillJobs', 'scaling'),
});
