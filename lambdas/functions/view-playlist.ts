import { viewPlaylistHandler } from '../api/view.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';
import { queuesOnDemand } from '../runtime/queues-on-demand.ts';

export const handler = apiFunction(viewPlaylistHandler, {
  media: mediaStore(),
  store: recordStore(),
  // For a recording whose playlists are not stored yet.
  queues: queuesOnDemand('backfillJobs', 'scaling'),
});
