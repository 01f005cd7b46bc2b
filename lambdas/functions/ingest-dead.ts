import { ingestDeadHandler } from '../dead-letters.ts';
import { observedQueue } from '../observability.ts';
import { withStoredKeys } from '../stored-objects.ts';
import { functionDeps, workQueue } from './ports.ts';

const again = ingestDeadHandler(functionDeps({ queues: { ingest: workQueue('ingest') } }));

export const handler = observedQueue((event, context) => again(withStoredKeys(event), context));
