import { ingestDeadHandler } from '../dead-letters.ts';
import { observedQueue } from '../observability.ts';
import { functionDeps, workQueue } from './ports.ts';

const deps = functionDeps({ queues: { ingest: workQueue('ingest') } });

export const handler = observedQueue(ingestDeadHandler(deps));
