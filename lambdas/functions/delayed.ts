import { delayedHandler } from '../queue/delayed.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, recordStore, workQueues } from '../runtime/ports.ts';

const deps = functionDeps({
  store: recordStore(),
  queues: workQueues('liveJobs', 'publish', 'delayed', 'scaling'),
});

export const handler = observedQueue(delayedHandler(deps));
