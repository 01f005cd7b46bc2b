import { delayedHandler } from '../queue/handlers.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, recordStore, workQueue } from '../runtime/ports.ts';

const deps = functionDeps({
  store: recordStore(),
  queues: {
    transcode: workQueue('transcode'),
    publish: workQueue('publish'),
    timers: workQueue('timers'),
    looks: workQueue('looks'),
  },
});

export const handler = observedQueue(delayedHandler(deps));
