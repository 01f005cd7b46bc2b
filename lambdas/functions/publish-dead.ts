import { publishDeadHandler } from '../queue/publish.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, workQueues } from '../runtime/ports.ts';

const deps = functionDeps({ queues: workQueues('publish') });

export const handler = observedQueue(publishDeadHandler(deps));
