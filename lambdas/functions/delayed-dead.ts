import { delayedDeadHandler } from '../queue/dead-letters.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, workQueue } from '../runtime/ports.ts';

const deps = functionDeps({ queues: { timers: workQueue('timers') } });

export const handler = observedQueue(delayedDeadHandler(deps));
