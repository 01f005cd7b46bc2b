import { delayedDeadHandler } from '../queue/delayed.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, workQueues } from '../runtime/ports.ts';

const deps = functionDeps({ queues: workQueues('delayed') });

export const handler = observedQueue(delayedDeadHandler(deps));
