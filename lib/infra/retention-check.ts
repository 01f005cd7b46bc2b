/** The schedule that has all streams checked for what has expired, also while nobody streams. */

import { Duration } from 'aws-cdk-lib';
import { CfnRule, Schedule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import { RETENTION_INTERVAL_HOURS } from '../domain/retention/retention.ts';
import type { Queues } from './queues.ts';
import { retentionRuleName } from './stage-names.ts';

/** It costs less than a cent a month, with hundreds of streams. */
export function retentionCheck(scope: Construct, stage: string, { queues }: Queues): void {
  new CfnRule(scope, 'Schedule', {
    name: retentionRuleName(stage),
    description: 'Checks all streams for recordings that have expired',
    scheduleExpression: Schedule.rate(Duration.hours(RETENTION_INTERVAL_HOURS)).expressionString,
    targets: [{ id: 'retention', arn: queues.delayed.queueArn, input: '{"type":"retention"}' }],
  });
}
