import { measure, observedQueue } from '../observability.ts';
import { measurePublishDelay } from '../publish-delay.ts';
import { publishHandler } from '../queues.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const deps = functionDeps({ index: streamIndex(), queues: { timers: workQueue('timers') } });

export const handler = observedQueue(publishHandler(deps), (bodies) =>
  measurePublishDelay(deps, measure, bodies),
);
