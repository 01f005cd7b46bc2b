import { timersDeadHandler } from '../dead-letters.ts';
import { observedQueue } from '../observability.ts';
import { functionDeps, workQueue } from './ports.ts';

const deps = functionDeps({ queues: { timers: workQueue('timers') } });

export const handler = observedQueue(timersDeadHandler(deps));
