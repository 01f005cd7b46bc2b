/** The function that decides how many workers there are, and what calls it. */

import { Duration } from 'aws-cdk-lib';
import { CfnRule, Schedule } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import type { FunctionEnvironment } from '../../lambdas/functions/settings.ts';
import { DEFAULT_IDLE_MS, type ScalingLimits } from '../domain/scaling.ts';
import { SCALE_FUNCTION } from './function-table.ts';
import { type FunctionsProps, makeFunction } from './functions.ts';
import type { DeploymentOptions } from './options.ts';
import { looksRuleName } from './stage-names.ts';
import { jobsPerTask } from './worker-service.ts';

export type WorkerScalingProps = Readonly<{
  options: DeploymentOptions;
  functions: FunctionsProps;
}>;

/** A segment of six seconds in the default ladder, on one of a task's vCPU. */
const SECONDS_PER_JOB = 4;

export class WorkerScaling extends Construct {
  constructor(scope: Construct, id: string, { options, functions }: WorkerScalingProps) {
    super(scope, id);
    const limits: ScalingLimits = {
      min: options.minTasks,
      max: options.maxTasks,
      jobsPerWorker: jobsPerTask(options.taskCpu),
      secondsPerJob: SECONDS_PER_JOB,
      idleMs: DEFAULT_IDLE_MS,
    };
    const own: Pick<FunctionEnvironment, 'RIVULET_SCALING'> = {
      RIVULET_SCALING: JSON.stringify(limits),
    };
    makeFunction(this, 'scale', SCALE_FUNCTION, functions, own);
    // Uploads that start a run call for looks, and each look for the next one while there is work.
    // This is for the day when that chain breaks; at this pace it costs less than a cent a month.
    new CfnRule(this, 'Schedule', {
      name: looksRuleName(options.stage),
      description: 'A look at the workers even if nobody calls for one',
      scheduleExpression: Schedule.rate(Duration.minutes(5)).expressionString,
      targets: [{ id: 'looks', arn: functions.queues.queues.looks.queueArn, input: '{}' }],
    });
  }
}
