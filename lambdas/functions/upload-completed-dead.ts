import { uploadCompletedDeadHandler } from '../queue/dead-letters.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, workQueue } from '../runtime/ports.ts';

const deps = functionDeps({ queues: { ingest: workQueue('ingest') } });

export const handler = observedQueue(uploadCompletedDeadHandler(deps));
