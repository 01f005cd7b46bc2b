import type { ScalingLimits } from '../../lib/domain/scaling.ts';
import { measure, observedQueue } from '../observability.ts';
import { scaleHandler } from '../scale.ts';
import { ecsService } from './ecs-service.ts';
import { clock, config, looksQueue, streamIndex, workQueue } from './ports.ts';
import { setting } from './settings.ts';

if (!config.service) throw new Error('RIVULET_CLUSTER and RIVULET_SERVICE are not set.');

const limits: ScalingLimits = JSON.parse(setting('RIVULET_SCALING'));

export const handler = observedQueue(
  scaleHandler({
    index: streamIndex(),
    transcode: workQueue('transcode'),
    looks: looksQueue(),
    service: ecsService(config.connection, config.service),
    limits,
    clock,
    measure,
  }),
);
