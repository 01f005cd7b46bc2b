import { observedQueue } from '../observability.ts';
import { ingestHandler } from '../queues.ts';
import { withStoredKeys } from '../stored-objects.ts';
import { functionDeps, mediaStore, streamIndex, workerFleet, workQueue } from './ports.ts';

const index = streamIndex();
const commit = ingestHandler(
  functionDeps({
    media: mediaStore(),
    index,
    fleet: workerFleet(index),
    queues: { transcode: workQueue('transcode'), timers: workQueue('timers') },
  }),
);

export const handler = observedQueue((event, context) => commit(withStoredKeys(event), context));
