import { measure, observedQueue } from '../observability.ts';
import { publishHandler } from '../queues.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const deps = functionDeps({ index: streamIndex(), queues: { timers: workQueue('timers') } });

export const handler = observedQueue(publishHandler(deps, measure));
