/** Log groups: named by the stage, and removed with it. */

import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { LOG_DAYS } from './stage-names.ts';

export const logGroup = (scope: Construct, id: string, stage: string, name: string): LogGroup =>
  new LogGroup(scope, id, {
    logGroupName: `/rivulet/${stage}/${name}`,
    retention: LOG_DAYS,
    removalPolicy: RemovalPolicy.DESTROY,
  });
