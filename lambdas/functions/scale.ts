import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { scalingHandler } from '../queue/handlers.ts';
import { setting } from '../runtime/function-environment.ts';
import { measure, observedQueue } from '../runtime/observability.ts';
import { config, functionDeps, recordStore, workerFleet, workQueue } from '../runtime/ports.ts';

if (!config.service) throw new Error('RIVULET_CLUSTER and RIVULET_SERVICE are not set.');

const limits: ScalingLimits = JSON.parse(setting('RIVULET_SCALING'));
const store = recordStore();
const deps = functionDeps({
  store,
  fleet: workerFleet(store),
  queues: { transcode: workQueue('transcode'), looks: workQueue('looks') },
});

export const handler = observedQueue(scalingHandler(deps, limits, measure));
