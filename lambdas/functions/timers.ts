import { observedQueue } from '../observability.ts';
import { timersHandler } from '../queues.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const deps = functionDeps({
  index: streamIndex(),
  queues: {
    transcode: workQueue('transcode'),
    publish: workQueue('publish'),
    timers: workQueue('timers'),
    looks: workQueue('looks'),
  },
});

export const handler = observedQueue(timersHandler(deps));
