import { publishHandler } from '../queue/handlers.ts';
import { measure, observedQueue } from '../runtime/observability.ts';
import { functionDeps, recordStore, workQueue } from '../runtime/ports.ts';

const deps = functionDeps({ store: recordStore(), queues: { timers: workQueue('timers') } });

export const handler = observedQueue(publishHandler(deps, measure));
