/** What a function may do, by what it does: exact actions on exact resources. */

import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { QueueName } from '../ports/queues.ts';

export type Permission =
  | 'read records'
  | 'write records'
  | 'delete records'
  | 'read source'
  | 'write source'
  | 'delete source'
  | 'read media'
  | 'write media'
  | 'delete media'
  | 'list objects'
  | 'probe objects'
  | 'read owner key'
  | 'see workers'
  | 'scale workers'
  | `send ${QueueName}`
  | `count ${QueueName}`;

export type PermissionScope = Readonly<{
  bucketArn: string;
  tableArn: string;
  queueArns: Readonly<Record<QueueName, string>>;
  ownerKeyArn: string;
  /** Of the cluster and of the service in it. */
  workersName: string;
}>;

/** Without the permission to list, S3 answers 403 instead of 404 for an object that is not there. */
const NEEDS_LIST: ReadonlySet<Permission> = new Set<Permission>([
  'read source',
  'read media',
  'probe objects',
]);

export function statementsFor(
  permissions: readonly Permission[],
  scope: PermissionScope,
): PolicyStatement[] {
  const lists = permissions.some(
    (permission) => NEEDS_LIST.has(permission) || permission === 'list objects',
  );
  const all: readonly Permission[] = lists
    ? [...new Set<Permission>([...permissions, 'list objects'])]
    : permissions;
  return all.map((permission) => new PolicyStatement(grantOf(permission, scope)));
}

type PresignedUpload = Readonly<{
  actions: string[];
  resources: string[];
  conditions?: Record<string, Record<string, string[]>>;
}>;

function grantOf(permission: Permission, scope: PermissionScope): PresignedUpload {
  const { bucketArn, tableArn } = scope;
  const [verb, object] = permission.split(' ') as [string, QueueName];
  if (verb === 'send') return allow(scope.queueArns[object], 'sqs:SendMessage');
  if (verb === 'count') return allow(scope.queueArns[object], 'sqs:GetQueueAttributes');
  switch (permission) {
    case 'read records':
      return allow(tableArn, 'dynamodb:GetItem', 'dynamodb:Query');
    case 'write records':
      return allow(tableArn, 'dynamodb:UpdateItem');
    case 'delete records':
      return allow(tableArn, 'dynamodb:DeleteItem');
    case 'read source':
      return allow(`${bucketArn}/source/*`, 's3:GetObject');
    case 'write source':
      return allow(`${bucketArn}/source/*`, 's3:PutObject');
    case 'delete source':
      return allow(`${bucketArn}/source/*`, 's3:DeleteObject');
    case 'read media':
      return allow(`${bucketArn}/media/*`, 's3:GetObject');
    case 'write media':
      return allow(`${bucketArn}/media/*`, 's3:PutObject');
    case 'delete media':
      return allow(`${bucketArn}/media/*`, 's3:DeleteObject');
    case 'list objects':
      return allow(bucketArn, 's3:ListBucket');
    case 'probe objects':
      return allow(`${bucketArn}/health/probe`, 's3:GetObject');
    case 'read owner key':
      return allow(scope.ownerKeyArn, 'secretsmanager:GetSecretValue');
    case 'see workers':
      return allow(serviceArn(scope), 'ecs:DescribeServices');
    case 'scale workers':
      return allow(serviceArn(scope), 'ecs:UpdateService');
    default:
      throw new Error(`Nobody knows the permission "${permission}".`);
  }
}

const allow = (resource: string, ...actions: string[]): PresignedUpload => ({
  actions,
  resources: [resource],
});

const serviceArn = ({ workersName }: PermissionScope): string =>
  `arn:${Aws.PARTITION}:ecs:${Aws.REGION}:${Aws.ACCOUNT_ID}:service/${workersName}/${workersName}`;
