/** Workers, and what scales them. Only AWS itself runs this. */

import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { CoreStack } from './core-stack.ts';
import { stackName } from './stage-names.ts';
import { workerNetwork } from './worker-network.ts';
import { workerScaling } from './worker-scaling.ts';
import { type WorkerServiceProps, workerService } from './worker-service.ts';

type WorkersStackProps = Pick<WorkerServiceProps, 'options' | 'imageFolder' | 'healthCommand'> &
  Readonly<{ core: CoreStack }>;

export class WorkersStack extends Stack {
  constructor(scope: Construct, { options, core, imageFolder, healthCommand }: WorkersStackProps) {
    const { stage } = options;
    super(scope, stackName(stage, 'workers'), { description: `Rivulet ${stage}: workers` });
    const network = workerNetwork(new Construct(this, 'WorkerNetwork'), stage);
    workerService(new Construct(this, 'WorkerService'), {
      options,
      network,
      engine: core.engine,
      // As it is written in this stack, where suppressions name it.
      scope: { ...core.functionsProps.scope, bucketArn: core.exportValue(core.bucket.bucketArn) },
      imageFolder,
      healthCommand,
    });
    workerScaling(new Construct(this, 'WorkerScaling'), options, core.functionsProps);
  }
}
