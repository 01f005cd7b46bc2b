import { publishHandler } from '../queue/publish.ts';
import { queueFunction } from '../runtime/entries.ts';
import { measure } from '../runtime/observability.ts';
import { recordStore, workQueues } from '../runtime/ports.ts';

const parts = { store: recordStore(), queues: workQueues('delayed') };

export const handler = queueFunction((deps) => publishHandler(deps, measure), parts);
