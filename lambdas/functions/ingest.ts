import { observedQueue } from '../observability.ts';
import { ingestHandler } from '../queues.ts';
import { withStoredKeys } from '../stored-objects.ts';
import { functionDeps, mediaStore, streamIndex, workQueue } from './ports.ts';

const commit = ingestHandler(
  functionDeps({
    media: mediaStore(),
    index: streamIndex(),
    queues: {
      transcode: workQueue('transcode'),
      timers: workQueue('timers'),
      looks: workQueue('looks'),
    },
  }),
);

export const handler = observedQueue((event, context) => commit(withStoredKeys(event), context));
