import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { JOB_QUEUES } from '../../lib/pipeline/jobs/job-kind.ts';
import { scalingHandler } from '../queue/scaling.ts';
import { setting } from '../runtime/function-environment.ts';
import { measure, observedQueue } from '../runtime/observability.ts';
import { config, functionDeps, recordStore, workerFleet, workQueues } from '../runtime/ports.ts';

if (!config.service) throw new Error('RIVULET_CLUSTER and RIVULET_SERVICE are not set.');

const limits: ScalingLimits = JSON.parse(setting('RIVULET_SCALING'));
const store = recordStore();
const deps = functionDeps({
  store,
  fleet: workerFleet(store),
  queues: workQueues(...Object.values(JOB_QUEUES), 'scaling'),
});

export const handler = observedQueue(scalingHandler(deps, limits, measure));
