/** What a worker may do: as a task of the service, or wherever else somebody runs it. */

import { Aws } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { isJobQueue, QUEUE_NAMES } from '../ports/queues.ts';
import { type PermissionScope, statementsFor } from './function-permissions.ts';
import { suppressWildcards } from './nag-suppressions.ts';
import { workersName } from './stage-names.ts';

const takeJobs = (scope: PermissionScope): PolicyStatement[] => [
  ...statementsFor(
    ['read records', 'write records', 'read source', 'write media', 'send publish'],
    scope,
  ),
  new PolicyStatement({
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
    resources: QUEUE_NAMES.filter(isJobQueue).map((name) => scope.queueArns[name]),
  }),
];

/** Of a task, which also asks ECS not to be stopped while it works. */
export const taskStatements = (scope: PermissionScope): PolicyStatement[] => [
  ...takeJobs(scope),
  new PolicyStatement({
    actions: ['ecs:UpdateTaskProtection'],
    resources: [
      `arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:task/${scope.workersName}/*`,
    ],
  }),
];

/**
 * For workers that somebody runs himself: the policy of the user or role that they run as. Without
 * ECS they make themselves known in the index, and take that back when they end.
 */
export function workerPolicy(
  parent: Construct,
  stage: string,
  scope: PermissionScope,
): ManagedPolicy {
  const statements = [...takeJobs(scope), ...statementsFor(['delete records'], scope)];
  const policy = new ManagedPolicy(parent, 'Policy', {
    managedPolicyName: workersName(stage),
    description: `Rivulet ${stage}: what a worker may do`,
    statements,
  });
  const reason = 'Objects get their names at run time; the policy has this prefix alone.';
  suppressWildcards(policy, statements, reason);
  return policy;
}
