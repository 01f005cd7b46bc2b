import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError } from '../../lib/base/environment.ts';
import { DEFAULT_LADDER } from '../../lib/domain/ladder.ts';
import { deploymentOptions, TASK_SIZES } from '../../lib/infra/options.ts';
import { leastTaskMemory } from '../../lib/infra/worker-service.ts';
import { appWith } from './synthesized.ts';

const problemsOf = (context: Record<string, string>): string[] => {
  try {
    deploymentOptions(context);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n');
  }
};

describe('deployment options', () => {
  test('defaults cost nothing while nobody streams, and lose nothing', () => {
    assert.deepEqual(deploymentOptions({}), {
      stage: 'dev',
      priceClass: '100',
      retentionDays: 0,
      dvrWindowSeconds: 7200,
      ladder: DEFAULT_LADDER,
      workers: 'fargate',
      taskCpu: 2048,
      taskMemory: 4096,
      minTasks: 0,
      maxTasks: 10,
      spotPercent: 70,
      architecture: 'arm64',
    });
  });

  test('options are read from the texts of the command line', () => {
    const options = deploymentOptions({
      maxTasks: '40',
      taskCpu: '4096',
      taskMemory: '8192',
      ladder: '720p:720:2500000,360p:360:700000',
      'aws:cdk:enable-path-metadata': 'true',
      '@aws-cdk/core:anything': 'true',
    });
    assert.equal(options.maxTasks, 40);
    assert.deepEqual(options.ladder, [
      { name: '720p', shortSidePx: 720, maxrateBps: 2_500_000 },
      { name: '360p', shortSidePx: 360, maxrateBps: 700_000 },
    ]);
  });

  test('a wrong option is named, with what was expected', () => {
    const wrong: [string, string, RegExp][] = [
      ['stage', 'Prod!', /^Option stage is "Prod!"; expected: up to 16 small letters/],
      ['retentionDays', 'ever', /^Option retentionDays is "ever"; expected: a whole number/],
      ['maxTasks', '0', /^Option maxTasks is "0"; expected: a whole number from 1 to 500/],
      ['minTasks', '11', /^Option maxTasks is not given; expected: at least minTasks/],
      [
        'spotPercent',
        '101',
        /^Option spotPercent is "101"; expected: a whole number from 0 to 100/,
      ],
      ['ladder', '720p:720', /^Option ladder is "720p:720"; expected: rungs as NAME:HEIGHT:BITS/],
      ['ladder', '1p:720:900000,1p:360:700000', /^Option ladder is .*a name of its own/],
      ['ladder', 'audio:360:700000', /^Option ladder is .*"source" and "audio…" are taken/],
      ['ladder', 'source:360:700000,720p:720:2500000', /"source" and "audio…" are taken/],
      ['ladder', '720p:63:2500000', /^Option ladder is "720p:63:2500000"; expected: rungs as/],
      ['ladder', '720p:720:2500000:3', /^Option ladder is "720p:720:2500000:3"; expected: rungs/],
      ['taskMemory', '2048', /^Option taskMemory is "2048"; expected: MiB that Fargate offers/],
      ['taskCpu', '3000', /^Option taskMemory is not given; expected: MiB that Fargate offers/],
      ['domain', 'live.example.com', /^Option certificateArn is not given; expected: together/],
      ['certificateArn', 'arn:aws:acm:eu-central-1:1:x', /^Option certificateArn is .*us-east-1/],
      ['priceClass', '300', /^Option priceClass is "300"; expected: 100, 200 or all/],
      ['alarmEmail', 'nobody', /^Option alarmEmail is "nobody"; expected: an e-mail address/],
      ['architecture', 'arm', /^Option architecture is "arm"; expected: arm64 or x86_64/],
      [
        'originShieldRegion',
        'Europe',
        /^Option originShieldRegion is "Europe"; expected: a region/,
      ],
      ['containerImage', 'worker', /^Option containerImage is "worker"; expected: HOST\/NAME:TAG/],
      ['maxTask', '3', /^There is no option maxTask; there are stage, domain, /],
    ];
    for (const [name, value, expected] of wrong) {
      const problems = problemsOf({ [name]: value });
      assert.ok(problems.length >= 1, name);
      assert.match(problems[0] ?? '', expected);
    }
    assert.equal(problemsOf({ stage: '', maxTasks: 'x', spotPercent: 'y' }).length, 2);
  });

  test('every task has the memory for all jobs that it may do at once', () => {
    for (const [taskCpu, [leastGigabytes]] of Object.entries(TASK_SIZES)) {
      assert.ok(leastGigabytes * 1024 >= leastTaskMemory(Number(taskCpu)), `${taskCpu} CPU units`);
    }
    assert.match(
      problemsOf({ taskCpu: '512', taskMemory: '1024' })[0] ?? '',
      /^Option taskMemory is "1024"; expected: MiB that Fargate offers with this taskCpu, 2048 or/,
    );
    assert.deepEqual(problemsOf({ taskCpu: '512', taskMemory: '2048' }), []);
  });

  test('a wrong option stops the synth', (t) => {
    assert.throws(() => appWith(t, { minTasks: 'one' }), /Option minTasks is "one"/);
  });
});
