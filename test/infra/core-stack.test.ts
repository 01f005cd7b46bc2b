import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { ROUTES } from '../../lib/api/routes.ts';
import { presignedKey, sourceSegmentKey } from '../../lib/domain/object-keys.ts';
import { FUNCTION_TABLE } from '../../lib/infra/function-table.ts';
import { delayedMessage } from '../../lib/pipeline/message-schemas.ts';
import { DEAD_LETTER_NAMES, QUEUE_NAMES } from '../../lib/ports/queues.ts';
import { resourcesOf, templatesWith, textOf } from './synthesized.ts';

/** `LiveJobs` for a queue's logical id. */
const nameOf = (id: string): string => id.replace(/^Queues(\w+?)[0-9A-F]{8}.*$/, '$1');

describe('core stack', () => {
  let core: Template;
  const ends: (() => void)[] = [];

  before(() => {
    core = templatesWith({ after: (end) => void ends.push(end) }).core;
  });
  after(() => {
    for (const end of ends) end();
  });

  test('only the CDN reads the media bucket, and no bucket is read without TLS', () => {
    const buckets = resourcesOf(core, 'AWS::S3::Bucket');
    assert.equal(buckets.length, 2);
    for (const [, { Properties, DeletionPolicy }] of buckets) {
      assert.deepEqual(Properties.PublicAccessBlockConfiguration, {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      assert.match(JSON.stringify(Properties.BucketEncryption), /AES256/);
      assert.equal(DeletionPolicy, 'Retain', 'a mistaken destroy loses no recording');
    }
    const statements = resourcesOf(core, 'AWS::S3::BucketPolicy').flatMap(
      ([, { Properties }]) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
    );
    const denied = statements.filter(({ Effect }) => Effect === 'Deny');
    assert.equal(denied.length, 2);
    for (const { Condition } of denied) {
      assert.deepEqual(Condition, { Bool: { 'aws:SecureTransport': 'false' } });
    }
    const allowed = statements.filter(({ Effect }) => Effect === 'Allow');
    assert.deepEqual(
      allowed
        .map(({ Principal }) => Principal)
        .map((p) => p.Service)
        .sort(),
      ['cloudfront.amazonaws.com', 'logging.s3.amazonaws.com'],
    );
    const cdn = allowed.find(({ Principal }) => Principal.Service?.startsWith('cloudfront'));
    assert.equal(cdn?.Action, 's3:GetObject');
    assert.match(textOf(cdn?.Resource), /\/media\/\*$/);
    assert.match(JSON.stringify(cdn?.Condition), /^\{"ArnLike":\{"aws:SourceArn":/);
  });

  test('the bucket deletes no media by itself, however long recordings are kept', (t) => {
    const rulesOf = (template: Template) => {
      const buckets = resourcesOf(template, 'AWS::S3::Bucket').map(
        ([, bucket]) => bucket.Properties,
      );
      const media = buckets.find((bucket) => bucket.NotificationConfiguration);
      return (media?.LifecycleConfiguration as { Rules: unknown[] } | undefined)?.Rules ?? [];
    };
    for (const template of [core, templatesWith(t, { retentionDays: '30' }).core]) {
      assert.deepEqual(rulesOf(template), [
        { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 }, Status: 'Enabled' },
      ]);
    }
  });

  test('all streams are checked for what has expired every six hours, also while nobody streams', () => {
    const [rule, ...others] = resourcesOf(core, 'AWS::Events::Rule');
    assert.deepEqual(others, []);
    const { Name, ScheduleExpression, Targets } = rule?.[1].Properties ?? {};
    const [target] = Targets as { Arn: unknown; Input: string }[];
    assert.deepEqual(
      [Name, ScheduleExpression, target?.Input],
      ['rivulet-dev-retention', 'rate(6 hours)', '{"type":"retention"}'],
    );
    assert.match(textOf(target?.Arn), /^<QueuesDelayed[0-9A-F]{8}\.Arn>$/);
    delayedMessage.parse(JSON.parse(target?.Input ?? ''));
    const allowed = resourcesOf(core, 'AWS::SQS::QueuePolicy').flatMap(
      ([, { Properties }]) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
    );
    const [sends] = allowed.filter(
      ({ Resource, Condition }) =>
        textOf(Resource) === textOf(target?.Arn) &&
        JSON.stringify(Condition).includes('rule/rivulet-dev-retention'),
    );
    assert.equal(sends?.Action, 'sqs:SendMessage');
  });

  test('the media bucket reports presigned uploads, and nothing else that is stored', () => {
    const [notification] = resourcesOf(core, 'AWS::S3::Bucket').flatMap(([, { Properties }]) => {
      const configuration = Properties.NotificationConfiguration as
        | { QueueConfigurations: Notification[] }
        | undefined;
      return configuration?.QueueConfigurations ?? [];
    });
    const rules = notification?.Filter.S3Key.Rules ?? [];
    const value = (name: string) => rules.find((rule) => rule.Name === name)?.Value ?? '?';
    const reports = (key: string) =>
      key.startsWith(value('prefix')) && key.endsWith(value('suffix'));
    const stream = { videoId: 'v', uid: 'u' };
    assert.equal(notification?.Event, 's3:ObjectCreated:Put');
    assert.match(textOf(notification?.Queue), /^<QueuesUploadCompleted\w+\.Arn>$/);
    assert.ok(reports(presignedKey(stream, 'abc')));
    assert.ok(!reports(sourceSegmentKey(stream, 1, 2, 'a'.repeat(64), 'ts')));
  });

  test('the records are in a table that can be restored, and expired ones are deleted', () => {
    core.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        Replicas: [
          Match.objectLike({
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      },
    });
  });

  test('each queue has its dead letters, encryption and TLS, and each function ends within its lease', () => {
    const queues = resourcesOf(core, 'AWS::SQS::Queue');
    assert.equal(queues.length, QUEUE_NAMES.length + DEAD_LETTER_NAMES.length);
    for (const [, { Properties }] of queues) assert.equal(Properties.SqsManagedSseEnabled, true);
    const deadLettersOf = queues.flatMap(([id, { Properties }]) => {
      const policy = Properties.RedrivePolicy as { deadLetterTargetArn: unknown } | undefined;
      if (!policy) return [];
      return [`${nameOf(id)} -> ${nameOf(textOf(policy.deadLetterTargetArn).slice(1))}`];
    });
    assert.deepEqual(deadLettersOf.sort(), [
      'AnalysisJobs -> JobsDead',
      'BackfillJobs -> JobsDead',
      'Delayed -> DelayedDead',
      'LiveJobs -> JobsDead',
      'Publish -> PublishDead',
      'UploadCompleted -> UploadCompletedDead',
    ]);
    assert.deepEqual(
      queues.filter(([, { Properties }]) => Properties.FifoQueue).map(([id]) => id.slice(0, 13)),
      ['QueuesPublish', 'QueuesPublish'].toSorted(),
    );
    const leaseOf = (arn: unknown): number => {
      const id = textOf(arn).match(/<(\w+)\.Arn>/)?.[1];
      return Number(queues.find(([name]) => name === id)?.[1].Properties.VisibilityTimeout);
    };
    const functions = new Map(resourcesOf(core, 'AWS::Lambda::Function'));
    const sources = resourcesOf(core, 'AWS::Lambda::EventSourceMapping');
    assert.equal(sources.length, 7);
    for (const [, { Properties }] of sources) {
      const id = textOf(Properties.FunctionName).slice(1, -1);
      const timeout = Number(functions.get(id)?.Properties.Timeout);
      assert.ok(timeout < leaseOf(Properties.EventSourceArn), `${id}: ${timeout} s`);
      assert.deepEqual(Properties.FunctionResponseTypes, ['ReportBatchItemFailures']);
    }
  });

  test('each route of the API is served by the function of the table', () => {
    const routes = resourcesOf(core, 'AWS::ApiGatewayV2::Route').map(
      ([, { Properties }]) => Properties.RouteKey,
    );
    const expected = Object.values(ROUTES).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(routes.toSorted(), expected.toSorted());
    core.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AccessLogSettings: Match.objectLike({ Format: Match.stringLikeRegexp('requestId') }),
    });
  });

  test('the owner key is in no template, and the functions that ask for it may read it', () => {
    core.hasResourceProperties('AWS::SecretsManager::Secret', {
      GenerateSecretString: {
        // Letters and digits are left: the key stands in URLs.
        ExcludeCharacters: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
        PasswordLength: 40,
      },
    });
    assert.doesNotMatch(JSON.stringify(core.toJSON()), /resolve:secretsmanager/);
    const askers = resourcesOf(core, 'AWS::Lambda::Function').filter(([, { Properties }]) =>
      JSON.stringify(Properties.Environment).includes('RIVULET_OWNER_KEY_SECRET'),
    );
    const expected = Object.values(FUNCTION_TABLE).filter(({ permissions }) =>
      (permissions as readonly string[]).includes('read owner key'),
    );
    assert.equal(askers.length, expected.length);
    assert.equal(expected.length, 14);
  });

  test('functions that create streams have the defaults of new streams', (t) => {
    const ladder = '720p:720:2500000';
    const options = { ladder, dvrWindowSeconds: '600', retentionDays: '30' };
    const { core: own } = templatesWith(t, options);
    const told = resourcesOf(own, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
      const { Variables } = Properties.Environment as { Variables: Record<string, unknown> };
      return Variables.RIVULET_STREAM_DEFAULTS ?? [];
    });
    assert.equal(told.length, 14);
    assert.deepEqual(JSON.parse(String(told[0])), {
      ladder: [{ name: '720p', shortSidePx: 720, maxrateBps: 2_500_000 }],
      dvrWindowSeconds: 600,
      retention: { days: 30 },
    });
  });

  test('functions run on Node 24, keep their logs for a month, and have no public URL', () => {
    for (const [, { Properties }] of resourcesOf(core, 'AWS::Lambda::Function')) {
      assert.equal(Properties.Runtime, 'nodejs24.x');
      assert.deepEqual(Properties.Architectures, ['arm64']);
    }
    for (const [, { Properties }] of resourcesOf(core, 'AWS::Logs::LogGroup')) {
      assert.equal(Properties.RetentionInDays, 30);
    }
    core.resourceCountIs('AWS::Lambda::Url', 0);
    core.resourceCountIs('Custom::S3BucketNotifications', 0);
  });
});

type Statement = Readonly<{
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Principal: { Service?: string };
  Resource: unknown;
  Condition?: unknown;
}>;

type Notification = Readonly<{
  Event: string;
  Queue: unknown;
  Filter: { S3Key: { Rules: { Name: string; Value: string }[] } };
}>;
