import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Template } from 'aws-cdk-lib/assertions';
import { slugOf } from '../../lib/ports/queues.ts';
import { appWith, resourcesOf, templatesWith, textOf } from './synthesized.ts';

/** Logs and messages of one's own aside: what every role may do, in the words of IAM. */
const READ = ['dynamodb:GetItem table', 'dynamodb:Query table'];
const WRITE = ['dynamodb:UpdateItem table'];
const KEY = ['secretsmanager:GetSecretValue owner-key'];
const SOURCE = [
  's3:GetObject bucket/source/*',
  's3:ListBucket bucket',
  's3:PutObject bucket/source/*',
  's3:DeleteObject bucket/source/*',
];
const BACKFILL = ['sqs:GetQueueAttributes backfill-jobs', 'sqs:SendMessage backfill-jobs'];
const PARTS = [
  's3:AbortMultipartUpload bucket/source/*',
  's3:ListMultipartUploadParts bucket/source/*',
];
const TAKE_IN = [
  'sqs:GetQueueAttributes live-jobs',
  ...READ,
  ...WRITE,
  ...SOURCE,
  'sqs:SendMessage scaling',
  'sqs:SendMessage delayed',
  'sqs:SendMessage live-jobs',
  // Segments of whole files.
  ...BACKFILL,
];
const REQUEST_PLAYLISTS = [
  'sqs:GetQueueAttributes backfill-jobs',
  'sqs:SendMessage backfill-jobs',
  'sqs:SendMessage scaling',
];
const VIEW_PLAYLISTS = [
  ...READ,
  ...WRITE,
  's3:GetObject bucket/media/*',
  's3:ListBucket bucket',
  's3:PutObject bucket/media/*',
  ...REQUEST_PLAYLISTS,
];
const take = (queue: string): string[] => [
  `sqs:DeleteMessage ${queue}`,
  `sqs:GetQueueAttributes ${queue}`,
  `sqs:ReceiveMessage ${queue}`,
];

const CORE: Readonly<Record<string, readonly string[]>> = {
  'put-stream': [...KEY, ...READ, ...WRITE, 'sqs:SendMessage publish'],
  'list-streams': [...KEY, ...READ],
  'get-stream': [...KEY, ...READ],
  'delete-stream': [
    ...KEY,
    ...READ,
    'dynamodb:DeleteItem table',
    's3:ListBucket bucket',
    's3:DeleteObject bucket/source/*',
    's3:DeleteObject bucket/media/*',
    ...PARTS,
  ],
  upload: [...KEY, ...TAKE_IN, 'sqs:SendMessage publish', ...PARTS],
  push: [...KEY, ...TAKE_IN, 'sqs:SendMessage publish'],
  'push-delete': [...KEY, ...READ],
  'end-stream': [...KEY, ...READ, ...WRITE, 'sqs:SendMessage publish'],
  'view-metadata': VIEW_PLAYLISTS,
  'view-playlist': VIEW_PLAYLISTS,
  'view-thumbnails': VIEW_PLAYLISTS,
  'view-picture': VIEW_PLAYLISTS,
  'dash-segment': READ,
  'server-time': [],
  'view-segment': [
    ...READ,
    ...WRITE,
    's3:GetObject bucket/source/*',
    's3:GetObject bucket/media/*',
    's3:ListBucket bucket',
    's3:PutObject bucket/media/*',
    ...REQUEST_PLAYLISTS,
  ],
  'view-captions': [
    ...READ,
    ...WRITE,
    'dynamodb:DeleteItem table',
    's3:GetObject bucket/source/*',
    's3:GetObject bucket/media/*',
    's3:ListBucket bucket',
    ...REQUEST_PLAYLISTS,
  ],
  'remove-captions': [...[...KEY, ...READ], 'dynamodb:DeleteItem table', 'sqs:SendMessage publish'],
  'view-clip': [
    ...READ,
    ...WRITE,
    'dynamodb:DeleteItem table',
    's3:GetObject bucket/source/*',
    's3:GetObject bucket/media/*',
    's3:ListBucket bucket',
    ...REQUEST_PLAYLISTS,
  ],
  'view-page': READ,
  'list-markers': READ,
  'put-markers': [...KEY, ...READ, ...WRITE, 'sqs:SendMessage publish'],
  'change-marker': [...KEY, ...READ, ...WRITE, 'sqs:SendMessage publish'],
  'remove-marker': [...KEY, ...READ, ...WRITE, 'sqs:SendMessage publish'],
  'list-clips': READ,
  'save-clip': [...KEY, ...READ, ...WRITE],
  'remove-clip': [...KEY, ...READ, 'dynamodb:DeleteItem table'],
  healthz: [
    ...READ,
    's3:GetObject bucket/health/probe',
    's3:ListBucket bucket',
    'sqs:GetQueueAttributes live-jobs',
    'ecs:DescribeServices service',
  ],
  publish: [
    ...take('publish'),
    ...READ,
    ...WRITE,
    'dynamodb:DeleteItem table',
    's3:GetObject bucket/media/*',
    's3:ListBucket bucket',
    's3:PutObject bucket/media/*',
    'sqs:SendMessage delayed',
    ...REQUEST_PLAYLISTS,
  ],
  delayed: [
    ...take('delayed'),
    ...READ,
    ...WRITE,
    'sqs:GetQueueAttributes live-jobs',
    'sqs:SendMessage scaling',
    'sqs:SendMessage publish',
    'sqs:SendMessage analysis-jobs',
    'sqs:SendMessage delayed',
    'sqs:SendMessage live-jobs',
    ...BACKFILL,
  ],
  'upload-completed': [...take('upload-completed'), ...TAKE_IN],
  'jobs-dead': [
    ...take('jobs-dead'),
    ...READ,
    ...WRITE,
    'dynamodb:DeleteItem table',
    'sqs:SendMessage publish',
  ],
  'publish-dead': [...take('publish-dead'), 'sqs:SendMessage publish'],
  'delayed-dead': [...take('delayed-dead'), 'sqs:SendMessage delayed'],
  'upload-completed-dead': [...take('upload-completed-dead'), 'sqs:SendMessage upload-completed'],
};

const WORKERS: Readonly<Record<string, readonly string[]>> = {
  scaling: [
    ...take('scaling'),
    ...READ,
    ...WRITE,
    'ecs:DescribeServices service',
    'ecs:UpdateService service',
    'sqs:GetQueueAttributes analysis-jobs',
    'sqs:GetQueueAttributes backfill-jobs',
    'sqs:GetQueueAttributes live-jobs',
    'sqs:SendMessage scaling',
  ],
  worker: [
    'dynamodb:DeleteItem table',
    ...READ,
    ...WRITE,
    'ecs:UpdateTaskProtection tasks',
    's3:AbortMultipartUpload bucket/media/*',
    's3:DeleteObject bucket/media/*',
    's3:GetObject bucket/media/*',
    's3:GetObject bucket/source/*',
    's3:ListBucket bucket',
    's3:PutObject bucket/media/*',
    ...['analysis-jobs', 'backfill-jobs', 'live-jobs'].flatMap((queue) => [
      `sqs:ChangeMessageVisibility ${queue}`,
      `sqs:DeleteMessage ${queue}`,
      `sqs:ReceiveMessage ${queue}`,
    ]),
    'sqs:SendMessage analysis-jobs',
    'sqs:SendMessage publish',
    ...['s3:PutObject bucket/source/*', 's3:DeleteObject bucket/source/*', ...BACKFILL],
    ...['sqs:SendMessage delayed', 'sqs:SendMessage scaling'],
  ],
};

type Statement = Readonly<{
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}>;

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Of each role by its logical id: `action resource`, in order. */
function permissionsIn(template: Template): Map<string, string[]> {
  const permissions = new Map<string, string[]>();
  const add = (role: string, document: unknown): void => {
    for (const statement of (document as { Statement: Statement[] }).Statement) {
      assert.equal(statement.Effect, 'Allow');
      const pairs = list(statement.Action).flatMap((action) =>
        list(statement.Resource).map((resource) => `${action} ${shortName(textOf(resource))}`),
      );
      permissions.set(role, [...(permissions.get(role) ?? []), ...pairs]);
    }
  };
  for (const [id, { Properties }] of resourcesOf(template, 'AWS::IAM::Role')) {
    assert.equal(Properties.ManagedPolicyArns, undefined, id);
    for (const { PolicyDocument } of (Properties.Policies ?? []) as { PolicyDocument: unknown }[]) {
      add(id, PolicyDocument);
    }
  }
  for (const [id, { Properties }] of resourcesOf(template, 'AWS::IAM::ManagedPolicy')) {
    add(id, Properties.PolicyDocument);
  }
  for (const [, { Properties }] of resourcesOf(template, 'AWS::IAM::Policy')) {
    for (const role of Properties.Roles as unknown[]) {
      add(textOf(role).slice(1, -1), Properties.PolicyDocument);
    }
  }
  return permissions;
}

function shortName(arn: string): string {
  const queue = arn.match(/Queues([A-Z]\w*?)(Dead)?[0-9A-F]{8}/);
  if (queue) return slugOf(`${queue[1]}${queue[2] ?? ''}`).slice(1);
  if (/StreamTable/.test(arn)) return 'table';
  if (/OwnerKey/.test(arn)) return 'owner-key';
  if (/MediaStorageBucket/.test(arn)) return arn.replace(/^<[^>]+>/, 'bucket');
  if (/:service\/rivulet-dev\/rivulet-dev$/.test(arn)) return 'service';
  if (/:task\/rivulet-dev\/\*$/.test(arn)) return 'tasks';
  if (/Log[0-9A-F]{8}\.Arn>$/.test(arn)) return 'its log';
  return arn;
}

const isOwnLog = (permission: string): boolean =>
  ['logs:CreateLogStream its log', 'logs:PutLogEvents its log'].includes(permission);

/** What the role of a function (or of the worker) may do, beside writing its log. */
function permissionsOf(permissions: Map<string, string[]>, name: string): string[] {
  const pascal = name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  const id = [...permissions.keys()].find((role) =>
    new RegExp(`Functions${pascal}Role[0-9A-F]{8}$`).test(role),
  );
  assert.ok(id, `there is no role for ${name}`);
  return (permissions.get(id) ?? []).filter((permission) => !isOwnLog(permission)).toSorted();
}

describe('IAM permissions', () => {
  test('each function has the permissions that it uses, and no other role exists', (t) => {
    const permissions = permissionsIn(templatesWith(t).core);
    assert.equal(permissions.size, Object.keys(CORE).length);
    for (const [name, expected] of Object.entries(CORE)) {
      assert.deepEqual(permissionsOf(permissions, name), expected.toSorted(), name);
    }
  });

  test('workers and the scaling function have the permissions that they use', (t) => {
    const permissions = permissionsIn(templatesWith(t).workers);
    assert.deepEqual(permissionsOf(permissions, 'scaling'), WORKERS.scaling?.toSorted());
    const task = [...permissions].find(([id]) => /TaskRole/.test(id))?.[1] ?? [];
    assert.deepEqual(task.toSorted(), WORKERS.worker?.toSorted());
    const execution = [...permissions].find(([id]) => /ExecutionRole/.test(id))?.[1] ?? [];
    assert.deepEqual(execution.map((permission) => permission.split(' ')[0]).toSorted(), [
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetAuthorizationToken',
      'ecr:GetDownloadUrlForLayer',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });
  test('the policy of static workers is that of tasks, less ECS', (t) => {
    const permissions = permissionsIn(Template.fromStack(appWith(t, { workers: 'none' }).core));
    const [, policy = []] = [...permissions].find(([id]) => id.startsWith('WorkerPolicy')) ?? [];
    const tasks = WORKERS.worker?.filter((permission) => !permission.startsWith('ecs:')) ?? [];
    assert.deepEqual(policy.toSorted(), tasks.toSorted());
  });
});
