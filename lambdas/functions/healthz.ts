import { healthzHandler } from '../api/healthz.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore, workerFleet } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

const store = recordStore();

export const handler = apiFunction(healthzHandler, {
  media: mediaStore(),
  store,
  fleet: workerFleet(store),
  queues: workQueues('liveJobs'),
});
