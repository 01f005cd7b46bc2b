import { publishDeadHandler } from '../queue/dead-letters.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, workQueue } from '../runtime/ports.ts';

const deps = functionDeps({ queues: { publish: workQueue('publish') } });

export const handler = observedQueue(publishDeadHandler(deps));
