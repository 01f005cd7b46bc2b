import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { JOB_QUEUES } from '../../lib/pipeline/jobs/job-kind.ts';
import { scalingHandler } from '../queue/scaling.ts';
import { queueFunction } from '../runtime/entries.ts';
import { setting } from '../runtime/function-environment.ts';
import { measure } from '../runtime/observability.ts';
import { config, recordStore, workerFleet } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

if (!config.service) throw new Error('RIVULET_CLUSTER and RIVULET_SERVICE are not set.');

const limits: ScalingLimits = JSON.parse(setting('RIVULET_SCALING'));
const store = recordStore();
const queues = workQueues(...Object.values(JOB_QUEUES), 'scaling');
const parts = { store, fleet: workerFleet(store), queues };

export const handler = queueFunction((deps) => scalingHandler(deps, limits, measure), parts);
