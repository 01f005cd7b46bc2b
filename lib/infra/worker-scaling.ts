/** The function that decides how many workers there are, and the schedule that calls it. */

import { Duration } from 'aws-cdk-lib';
import { CfnRule, Schedule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { FunctionEnvironment } from '../../lambdas/runtime/function-environment.ts';
import {
  DEFAULT_IDLE_MS,
  DEFAULT_SECONDS_PER_JOB,
  SCALING_FALLBACK_INTERVAL_MS,
  type ScalingLimits,
} from '../domain/scaling.ts';
import { FUNCTIONS } from './function-table.ts';
import { Functions, type FunctionsProps } from './functions.ts';
import type { DeploymentOptions } from './options.ts';
import { scalingRuleName } from './stage-names.ts';
import { jobsPerTask } from './worker-service.ts';

export function workerScaling(
  scope: Construct,
  options: DeploymentOptions,
  functions: FunctionsProps,
): void {
  const limits: ScalingLimits = {
    min: options.minTasks,
    max: options.maxTasks,
    jobsPerWorker: jobsPerTask(options.taskCpu),
    secondsPerJob: DEFAULT_SECONDS_PER_JOB,
    idleMs: DEFAULT_IDLE_MS,
  };
  const own = { RIVULET_SCALING: JSON.stringify(limits) } satisfies Partial<FunctionEnvironment>;
  const specs = FUNCTIONS.filter(([, { withWorkers }]) => withWorkers);
  new Functions(scope, 'Functions', functions, specs, own);
  // Each upload requests an evaluation, and each evaluation the next one while there is work. The
  // schedule makes up for a request that is lost; it costs less than a cent a month.
  const interval = Duration.minutes(SCALING_FALLBACK_INTERVAL_MS / 60_000);
  new CfnRule(scope, 'Schedule', {
    name: scalingRuleName(options.stage),
    description: 'Evaluates the number of workers if no request does',
    scheduleExpression: Schedule.rate(interval).expressionString,
    targets: [{ id: 'scaling', arn: functions.queues.queues.scaling.queueArn, input: '{}' }],
  });
}
