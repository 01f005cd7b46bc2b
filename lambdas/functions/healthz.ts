import { healthzHandler } from '../api/healthz.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore, workerFleet, workQueues } from '../runtime/ports.ts';

const store = recordStore();

export const handler = apiFunction(healthzHandler, {
  media: mediaStore(),
  store,
  fleet: workerFleet(store),
  queues: workQueues('liveJobs'),
});
