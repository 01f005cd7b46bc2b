import { measure, observedQueue } from '../observability.ts';
import { transcodeDeadHandler } from '../queues.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const deps = functionDeps({ index: streamIndex(), queues: { publish: workQueue('publish') } });

export const handler = observedQueue(transcodeDeadHandler(deps), async (bodies) => {
  measure.count('SegmentsLost', bodies.length);
});
