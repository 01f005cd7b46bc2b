import { publishDeadHandler } from '../dead-letters.ts';
import { observedQueue } from '../observability.ts';
import { functionDeps, workQueue } from './ports.ts';

const deps = functionDeps({ queues: { publish: workQueue('publish') } });

export const handler = observedQueue(publishDeadHandler(deps));
