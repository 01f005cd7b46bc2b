/** The function that decides how many workers there are, and what calls it. */

import { Duration } from 'aws-cdk-lib';
import { CfnRule, Schedule } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import type { FunctionEnvironment } from '../../lambdas/runtime/function-environment.ts';
import {
  DEFAULT_IDLE_MS,
  DEFAULT_SECONDS_PER_JOB,
  SCALING_FALLBACK_INTERVAL_MS,
  type ScalingLimits,
} from '../domain/scaling.ts';
import { SCALE_FUNCTION } from './function-table.ts';
import { type FunctionsProps, makeFunction } from './functions.ts';
import type { DeploymentOptions } from './options.ts';
import { scalingRuleName } from './stage-names.ts';
import { jobsPerTask } from './worker-service.ts';

export type WorkerScalingProps = Readonly<{
  options: DeploymentOptions;
  functions: FunctionsProps;
}>;

export class WorkerScaling extends Construct {
  constructor(scope: Construct, id: string, { options, functions }: WorkerScalingProps) {
    super(scope, id);
    const limits: ScalingLimits = {
      min: options.minTasks,
      max: options.maxTasks,
      jobsPerWorker: jobsPerTask(options.taskCpu),
      secondsPerJob: DEFAULT_SECONDS_PER_JOB,
      idleMs: DEFAULT_IDLE_MS,
    };
    const own: Pick<FunctionEnvironment, 'RIVULET_SCALING'> = {
      RIVULET_SCALING: JSON.stringify(limits),
    };
    makeFunction(this, 'scale', SCALE_FUNCTION, functions, own);
    // Whoever queues jobs calls for a look, and each look for the next one while there is work. This
    // is for the day when a call is lost; at this pace it costs less than a cent a month.
    new CfnRule(this, 'Schedule', {
      name: scalingRuleName(options.stage),
      description: 'A look at the workers even if nobody calls for one',
      scheduleExpression: Schedule.rate(Duration.minutes(SCALING_FALLBACK_INTERVAL_MS / 60_000))
        .expressionString,
      targets: [{ id: 'looks', arn: functions.queues.queues.looks.queueArn, input: '{}' }],
    });
  }
}
