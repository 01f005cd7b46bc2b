import { healthzHandler } from '../api/healthz.ts';
import { observedApi } from '../observability.ts';
import { mediaStore } from './media-store.ts';
import { functionDeps, streamIndex, workerFleet, workQueue } from './ports.ts';

const index = streamIndex();
const deps = functionDeps({
  media: mediaStore(),
  index,
  fleet: workerFleet(index),
  queues: { transcode: workQueue('transcode') },
});

export const handler = observedApi(healthzHandler(deps));
