import { publishHandler } from '../queue/publish.ts';
import { measure, observedQueue } from '../runtime/observability.ts';
import { functionDeps, recordStore, workQueues } from '../runtime/ports.ts';

const deps = functionDeps({ store: recordStore(), queues: workQueues('delayed') });

export const handler = observedQueue(publishHandler(deps, measure));
