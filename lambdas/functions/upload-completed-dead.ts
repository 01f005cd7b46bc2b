import { uploadCompletedDeadHandler } from '../queue/upload-completed.ts';
import { observedQueue } from '../runtime/observability.ts';
import { functionDeps, workQueues } from '../runtime/ports.ts';

const deps = functionDeps({ queues: workQueues('uploadCompleted') });

export const handler = observedQueue(uploadCompletedDeadHandler(deps));
