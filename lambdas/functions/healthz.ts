import { healthzHandler } from '../api/healthz.ts';
import { observedApi } from '../observability.ts';
import { config, functionDeps, mediaStore, streamIndex, workerFleet, workQueue } from './ports.ts';

const index = streamIndex();
const fleet = workerFleet(index);
const deps = functionDeps({
  media: mediaStore(),
  index,
  // An idle deployment has no worker and is well: it is enough that ECS can start one.
  fleet: config.service
    ? { ...fleet, running: async () => Math.max(1, await fleet.running()) }
    : fleet,
  queues: { transcode: workQueue('transcode') },
});

export const handler = observedApi(healthzHandler(deps));
