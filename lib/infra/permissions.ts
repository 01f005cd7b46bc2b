/**
 * What a function may do, by what it does: exact actions on exact resources. And what a worker may do,
 * as a task of the service or wherever else somebody runs it.
 */

import { Aws } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { isJobQueue, QUEUE_NAMES, type QueueName } from '../ports/queues.ts';
import { suppressWildcards } from './nag-suppressions.ts';
import { workersName } from './stage-names.ts';

export type PermissionScope = Readonly<{
  bucketArn: string;
  tableArn: string;
  queueArns: Readonly<Record<QueueName, string>>;
  ownerKeyArn: string;
  /** Of the cluster and of the service in it. */
  workersName: string;
}>;

type Allowed = Readonly<{ resources: string[]; actions: string[] }>;

const allow = (resource: string, ...actions: string[]): Allowed => ({
  resources: [resource],
  actions,
});

const serviceArn = ({ workersName: name }: PermissionScope): string =>
  `arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:service/${name}/${name}`;

const PERMISSIONS = {
  'read records': ({ tableArn }) => allow(tableArn, 'dynamodb:GetItem', 'dynamodb:Query'),
  'write records': ({ tableArn }) => allow(tableArn, 'dynamodb:UpdateItem'),
  'delete records': ({ tableArn }) => allow(tableArn, 'dynamodb:DeleteItem'),
  'read source': ({ bucketArn }) => allow(`${bucketArn}/source/*`, 's3:GetObject'),
  'write source': ({ bucketArn }) => allow(`${bucketArn}/source/*`, 's3:PutObject'),
  'upload parts': ({ bucketArn }) =>
    allow(`${bucketArn}/source/*`, 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'),
  'delete source': ({ bucketArn }) => allow(`${bucketArn}/source/*`, 's3:DeleteObject'),
  'read media': ({ bucketArn }) => allow(`${bucketArn}/media/*`, 's3:GetObject'),
  'write media': ({ bucketArn }) => allow(`${bucketArn}/media/*`, 's3:PutObject'),
  'give up media parts': ({ bucketArn }) =>
    allow(`${bucketArn}/media/*`, 's3:AbortMultipartUpload'),
  'delete media': ({ bucketArn }) => allow(`${bucketArn}/media/*`, 's3:DeleteObject'),
  'list objects': ({ bucketArn }) => allow(bucketArn, 's3:ListBucket'),
  'probe objects': ({ bucketArn }) => allow(`${bucketArn}/health/probe`, 's3:GetObject'),
  'read owner key': ({ ownerKeyArn }) => allow(ownerKeyArn, 'secretsmanager:GetSecretValue'),
  'see workers': (scope) => allow(serviceArn(scope), 'ecs:DescribeServices'),
  'scale workers': (scope) => allow(serviceArn(scope), 'ecs:UpdateService'),
} as const satisfies Readonly<Record<string, (scope: PermissionScope) => Allowed>>;

const QUEUE_ACTIONS = { send: 'sqs:SendMessage', count: 'sqs:GetQueueAttributes' } as const;

type QueuePermission = `${keyof typeof QUEUE_ACTIONS} ${QueueName}`;
export type Permission = keyof typeof PERMISSIONS | QueuePermission;

/** Without the permission to list, S3 answers 403 instead of 404 for an object that is not there. */
const NEEDS_LIST: ReadonlySet<Permission> = new Set(['read source', 'read media', 'probe objects']);

export function statementsFor(
  permissions: readonly Permission[],
  scope: PermissionScope,
): PolicyStatement[] {
  const lists = permissions.some((permission) => NEEDS_LIST.has(permission));
  const all = new Set<Permission>([...permissions, ...(lists ? ['list objects' as const] : [])]);
  return [...all].map((permission) => new PolicyStatement(allowedBy(permission, scope)));
}

function allowedBy(permission: Permission, scope: PermissionScope): Allowed {
  if (permission in PERMISSIONS) return PERMISSIONS[permission as keyof typeof PERMISSIONS](scope);
  const [verb, queue] = permission.split(' ') as [keyof typeof QUEUE_ACTIONS, QueueName];
  return allow(scope.queueArns[queue], QUEUE_ACTIONS[verb]);
}

const takeJobs = (scope: PermissionScope): PolicyStatement[] => [
  ...statementsFor(
    [
      ...(['read records', 'write records', 'read source', 'read media'] as const),
      ...(['write media', 'send publish'] as const),
      // Of a file of a clip that is not stored after all: its parts cost as much as objects.
      'give up media parts',
      // Of files of clips that make room for others, and of what has expired.
      'delete media',
      // Of a request for a file that it has made, of what has expired, and of its registration without ECS.
      'delete records',
      // A job of retention that does not remove all queues the next.
      'send analysisJobs',
      // Whole files: their segments are uploaded by workers.
      ...(['write source', 'delete source', 'send backfillJobs', 'count backfillJobs'] as const),
      ...(['send delayed', 'send scaling'] as const),
    ],
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
  const statements = takeJobs(scope);
  const policy = new ManagedPolicy(parent, 'Policy', {
    managedPolicyName: workersName(stage),
    description: `Rivulet ${stage}: what a worker may do`,
    statements,
  });
  const reason = 'Objects get their names at run time; the policy has this prefix alone.';
  suppressWildcards(policy, statements, reason);
  return policy;
}
