import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { appWith } from './synthesized.ts';

/** Names that the account has only one of. */
const UNIQUE = [
  'LogGroupName',
  'ClusterName',
  'ServiceName',
  'DashboardName',
  'Family',
  'QueueName',
  'TableName',
  'BucketName',
  'RoleName',
  'FunctionName',
  'AlarmName',
];

/** All files of the assembly by their names. */
const filesIn = (outdir: string): Map<string, string> =>
  new Map(
    readdirSync(outdir)
      .filter((name) => name.endsWith('.template.json'))
      .map((name) => [name, readFileSync(join(outdir, name), 'utf8')]),
  );

describe('synth', () => {
  test('cdk-nag finds nothing, whatever the options', (t) => {
    const certificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/abc';
    for (const context of [
      {},
      { alarmEmail: 'a@example.com', retentionDays: '7', minTasks: '1' },
      { domain: 'live.example.com', certificateArn, containerImage: 'ghcr.io/a/worker:1' },
      { workers: 'none' },
    ]) {
      assert.doesNotThrow(() => appWith(t, context).app.synth(), JSON.stringify(context));
    }
  });

  test('a finding of cdk-nag fails the synth', (t) => {
    const { app, outdir } = appWith(t);
    new Bucket(new Stack(app, 'careless'), 'Bucket');
    const exitCode = process.exitCode;
    assert.throws(() => app.synth(), /Validation failed/);
    process.exitCode = exitCode;
    assert.match(readFileSync(join(outdir, 'validation-report.json'), 'utf8'), /AwsSolutions-S10/);
  });

  test('each suppressed finding is named and has a reason', (t) => {
    const { app } = appWith(t);
    const found = new Map<string, number>();
    for (const construct of app.node.findAll()) {
      for (const { type, data } of construct.node.metadata) {
        if (!/acknowledge/i.test(type)) continue;
        for (const [id, reason] of Object.entries(data as Record<string, string>)) {
          // The others are the CDK's own.
          if (!id.startsWith('Annotation::')) continue;
          assert.ok(reason.length > 40, `${id}: ${reason}`);
          const rule = id.replace(/^Annotation::/, '').replace(/\[.*$/, '');
          found.set(rule, (found.get(rule) ?? 0) + 1);
        }
      }
    }
    assert.deepEqual(Object.fromEntries(found), {
      '@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac': 1,
      'AwsSolutions-APIG4': 31,
      'AwsSolutions-CFR1': 1,
      'AwsSolutions-CFR2': 1,
      'AwsSolutions-CFR4': 1,
      'AwsSolutions-ECS2': 1,
      'AwsSolutions-IAM5': 20,
      'AwsSolutions-SMG4': 1,
      'AwsSolutions-SQS3': 1,
    });
  });

  test('a second synth gives the same templates', (t) => {
    const templates = [1, 2].map(() => {
      const { app, outdir } = appWith(t);
      app.synth();
      return filesIn(outdir);
    });
    assert.equal(templates[0]?.size, 4);
    assert.deepEqual(templates[0], templates[1]);
  });

  test('two stages share no name', (t) => {
    const [one, two] = ['dev', 'prod'].map((stage) => {
      const { app, outdir } = appWith(t, { stage });
      app.synth();
      return filesIn(outdir);
    });
    const shared = [...(one?.keys() ?? [])].filter((name) => two?.has(name));
    assert.deepEqual(shared, []);
    const namesIn = (files: Map<string, string> = new Map()): string[] =>
      [...files.values()].flatMap((text) => namesOf(JSON.parse(text).Resources));
    const names = new Set(namesIn(one));
    assert.ok(names.size > 25, `${names.size} names`);
    assert.deepEqual(
      namesIn(two).filter((name) => names.has(name)),
      [],
    );
  });
});

function namesOf(resources: Record<string, { Properties?: Record<string, unknown> }>): string[] {
  return Object.values(resources).flatMap(({ Properties = {} }) => {
    const own = Object.entries(Properties).filter(([key]) => UNIQUE.includes(key));
    const nested = ['CachePolicyConfig', 'ResponseHeadersPolicyConfig', 'OriginAccessControlConfig']
      .map((key) => (Properties[key] as { Name?: string } | undefined)?.Name)
      .filter((name) => name !== undefined);
    const rule = Properties.ScheduleExpression ? [Properties.Name] : [];
    return [...own.map(([, value]) => value), ...nested, ...rule].filter(
      (name): name is string => typeof name === 'string',
    );
  });
}
