import { healthzHandler } from '../api/healthz.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { observedApi } from '../runtime/observability.ts';
import { functionDeps, recordStore, workerFleet, workQueues } from '../runtime/ports.ts';

const store = recordStore();
const deps = functionDeps({
  media: mediaStore(),
  store,
  fleet: workerFleet(store),
  queues: workQueues('liveJobs'),
});

export const handler = observedApi(healthzHandler(deps));
