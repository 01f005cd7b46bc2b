import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { measure, observedQueue } from '../observability.ts';
import { looksHandler } from '../queues.ts';
import { config, functionDeps, streamIndex, workerFleet, workQueue } from './ports.ts';
import { setting } from './settings.ts';

if (!config.service) throw new Error('RIVULET_CLUSTER and RIVULET_SERVICE are not set.');

const limits: ScalingLimits = JSON.parse(setting('RIVULET_SCALING'));
const index = streamIndex();
const deps = functionDeps({
  index,
  fleet: workerFleet(index),
  queues: { transcode: workQueue('transcode'), looks: workQueue('looks') },
});

export const handler = observedQueue(looksHandler(deps, limits, measure));
