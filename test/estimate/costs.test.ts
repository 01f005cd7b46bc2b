import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CostLine,
  costs,
  type Facts,
  gbSecondsOf,
  tasksFor,
  total,
} from '../../bin/estimate/costs.ts';
import { idleResources } from '../../bin/estimate/idle-resources.ts';
import { MANAGED_SERVICES } from '../../bin/estimate/managed-services.ts';
import { NO_USAGE, type Usage, type Work } from '../../bin/estimate/meter.ts';
import { PRICES, US_EAST_1 } from '../../bin/estimate/prices.ts';
import { amount, dollars, report } from '../../bin/estimate/report.ts';
import { parseEstimate } from '../../bin/estimate/scenario.ts';
import { UsageError } from '../../lib/base/command-line.ts';

const work = (usage: Partial<Usage> = {}, cpuMs = 0): Work => ({
  usage: { ...NO_USAGE, ...usage },
  runs: 1,
  cpuMs,
});

const FACTS: Facts = {
  work: {
    upload: work(
      {
        mediaPuts: 1,
        writeUnits: 4,
        readUnits: 6,
        standardRequests: 1,
        newItemBytes: 600,
        calls: 10,
      },
      20,
    ),
    transcode: work({
      mediaPuts: 10,
      mediaGets: 1,
      writeUnits: 2,
      readUnits: 6,
      standardRequests: 3,
      fifoRequests: 1,
      newItemBytes: 1400,
      calls: 23,
    }),
    publish: work({ writeUnits: 8, readUnits: 12, fifoRequests: 2, calls: 9 }, 2),
    housekeeping: work({ readUnits: 6, standardRequests: 3, fifoRequests: 1 }),
    housekeepingPublish: work({ readUnits: 8, fifoRequests: 2 }),
    scale: work({ readUnits: 1, writeUnits: 1, standardRequests: 4 }),
    playlist: work({ readUnits: 2, calls: 2 }, 1),
  },
  cpuSecondsPerMediaSecond: 1.5,
  memoryMb: {
    upload: 1769,
    publish: 512,
    housekeeping: 512,
    housekeepingPublish: 512,
    scale: 256,
    playlist: 1024,
  },
  audioBps: 128_000,
  idle: {
    secrets: 1,
    alarmMetrics: 21,
    dashboards: 1,
    standardQueuePollers: 6,
    fifoQueuePollers: 2,
    scheduledRunsPerMonth: 8760,
    unknownHourly: [],
  },
};

const scenarioOf = (...argv: string[]) => parseEstimate(argv).scenario;

/** Count and dollars of a driver, to nine digits. */
function line(lines: readonly CostLine[], driver: string): [number, number] {
  const found = lines.find((one) => one.driver === driver);
  assert.ok(found, driver);
  const round = (value: number): number => Number(value.toPrecision(9));
  return [round(found.count), round(found.usd)];
}

describe('estimated costs', () => {
  test('an hour of a stream costs its counts times the prices', () => {
    const { streamHour, tasks } = costs(scenarioOf(), FACTS, US_EAST_1);
    assert.equal(tasks, 1);
    // Two hours, one minute to start and five idle: 1.05 times two vCPU.
    assert.deepEqual(line(streamHour, 'Fargate: CPU'), [2.1, 0.067998]);
    assert.deepEqual(line(streamHour, 'Fargate: memory'), [4.2, 0.014952]);
    assert.deepEqual(line(streamHour, 'Public IPv4 of tasks'), [1.05, 0.00525]);
    // 900 segments of 3,000,000 bytes: six times 512 KB each.
    assert.deepEqual(line(streamHour, 'HTTP API: uploads'), [5400, 0.0054]);
    assert.deepEqual(line(streamHour, 'S3: PUT'), [9900, 0.0495]);
    assert.deepEqual(line(streamHour, 'S3: GET by workers'), [900, 0.00036]);
    // 900 × (4 + 2 + 8), and 360 scaling evaluations.
    assert.deepEqual(line(streamHour, 'DynamoDB: writes'), [12_960, 0.0081]);
    // 900 × (6 + 6 + 12) + 120 × (6 + 8) + 360.
    assert.deepEqual(line(streamHour, 'DynamoDB: reads'), [23_640, 0.002955]);
    // 900 × 4 + 120 × 3 + 360 × 4, and 1,800 polls of three queues by a worker.
    assert.deepEqual(line(streamHour, 'SQS: standard'), [10_800, 0.00432]);
    // 900 × 3 + 120 × 3.
    assert.deepEqual(line(streamHour, 'SQS: FIFO'), [3060, 0.00153]);
    // 900 uploads, 900 times publishing, 2 × 120 of housekeeping, 360 evaluations.
    assert.deepEqual(line(streamHour, 'Lambda: invocations'), [2400, 0.00048]);
  });

  test('functions are billed for their time at a share of a vCPU and for waiting', () => {
    const scenario = { vcpuFactor: 2, callMs: 10 };
    // 1769 MB are a whole vCPU: (20 ms × 2 + 10 × 10 ms) × 1.7275390625 GB.
    assert.equal(gbSecondsOf(scenario, FACTS.work.upload, 1769).toFixed(9), '0.241855469');
    // 884.5 MB are half of one.
    assert.equal(gbSecondsOf(scenario, FACTS.work.upload, 884.5).toFixed(9), '0.155478516');
  });

  test('workers cost whole tasks, the first on demand, the others partly on Spot', () => {
    assert.equal(tasksFor(scenarioOf(), 2), 1);
    assert.equal(tasksFor(scenarioOf(), 2.1), 2);
    assert.equal(tasksFor(scenarioOf('--streams', '10'), 1.5), 10);
    assert.equal(tasksFor(scenarioOf('--streams', '10', '--vcpu-factor', '2'), 1.5), 19);
    const scenario = scenarioOf('--streams', '10', '--hours', '10', '--spot-percent', '50');
    const { streamHour } = costs(scenario, FACTS, US_EAST_1);
    // Ten tasks for ten streams: 5.5 on demand, 4.5 on Spot; 1.01 for the start and the end.
    assert.deepEqual(line(streamHour, 'Fargate: CPU'), [1.111, 0.03597418]);
    assert.deepEqual(line(streamHour, 'Fargate Spot: CPU'), [0.909, 0.00882639]);
    const x86 = costs(scenarioOf('--architecture', 'x86_64'), FACTS, US_EAST_1);
    assert.deepEqual(line(x86.streamHour, 'Fargate: CPU'), [2.1, 0.085008]);
  });

  test('a viewer costs transfer, requests and a share of the origin requests', () => {
    const { viewerHour } = costs(scenarioOf(), FACTS, US_EAST_1);
    assert.deepEqual(line(viewerHour, 'CloudFront: transfer'), [1.35, 0.11475]);
    assert.deepEqual(line(viewerHour, 'CloudFront: requests'), [3600, 0.0036]);
    // Two caches ask for six playlists once a second, for a hundred viewers.
    assert.deepEqual(line(viewerHour, 'HTTP API: playlists'), [432, 0.000432]);
    assert.deepEqual(line(viewerHour, 'DynamoDB: reads'), [864, 0.000108]);
    assert.deepEqual(line(viewerHour, 'S3: GET by the CDN'), [108, 0.0000432]);
    const alone = costs(scenarioOf('--viewers', '1'), FACTS, US_EAST_1).viewerHour;
    // No more often than the one viewer asks.
    assert.deepEqual(line(alone, 'HTTP API: playlists'), [1800, 0.0018]);
  });

  test('a stored hour costs its bytes, and an idle month what always exists', () => {
    const { storedHour, idleMonth, idleMonthAfterFreeUsd } = costs(scenarioOf(), FACTS, US_EAST_1);
    assert.deepEqual(line(storedHour, 'S3: source'), [2.7, 0.0621]);
    // 4.5 + 2.5 + 1.2 + 0.7 Mbit/s and a language of 128 kbit/s.
    assert.deepEqual(line(storedHour, 'S3: renditions'), [4.1256, 0.0948888]);
    assert.deepEqual(line(storedHour, 'DynamoDB: records'), [0.0018, 0.00045]);
    assert.deepEqual(line(idleMonth, 'CloudWatch: alarms'), [21, 2.1]);
    // 900 polls an hour of each queue, and four requests each five minutes.
    assert.deepEqual(line(idleMonth, "SQS: Lambda's polls, standard"), [3_977_040, 1.590816]);
    assert.deepEqual(line(idleMonth, "SQS: Lambda's polls, FIFO"), [1_314_000, 0.657]);
    assert.deepEqual(line(idleMonth, 'Fargate: CPU'), [0, 0]);
    // Ten alarm metrics at 0.1, three dashboards, and a million requests at 0.4 are free.
    assert.equal((total(idleMonth) - idleMonthAfterFreeUsd).toFixed(6), '4.400000');
    const kept = costs(scenarioOf('--min-tasks', '1'), FACTS, US_EAST_1);
    assert.deepEqual(line(kept.idleMonth, 'Fargate: CPU'), [1460, 47.2748]);
  });
});

test('prices: each has a source and a date', () => {
  const sourced = [
    ...Object.values(PRICES).flatMap((list) => Object.values(list)),
    ...MANAGED_SERVICES,
  ];
  for (const { source, url, asOf } of sourced) {
    assert.match(asOf, /^20\d\d-\d\d(?:-\d\d)?(?: \(undated copy\))?$/);
    assert.ok(source.length > 5 && URL.canParse(url), source);
  }
});

describe('estimate command line', () => {
  test('every option has a default', () => {
    const { scenario, help, markdown } = parseEstimate([]);
    assert.deepEqual(
      [help, markdown, scenario.bitrateBps, scenario.segmentSeconds],
      [false, false, 6e6, 4],
    );
    assert.deepEqual(
      scenario.ladder.map(({ name }) => name),
      ['1080p', '720p', '480p', '360p', '240p'],
    );
    assert.equal(scenario.cpuSeconds, undefined);
    const own = parseEstimate([
      '--ladder',
      '480p,720p',
      '--bitrate=2.5M',
      '--cpu-seconds',
      '0.7',
      '--markdown',
    ]);
    assert.deepEqual(
      own.scenario.ladder.map(({ name }) => name),
      ['720p', '480p'],
    );
    assert.deepEqual(
      [own.scenario.bitrateBps, own.scenario.cpuSeconds, own.markdown],
      [2.5e6, 0.7, true],
    );
  });

  test('the message names every wrong option and what was expected', () => {
    const argv = [
      '--region',
      'eu-1',
      '--ladder=144p',
      '--viewers',
      '0',
      '--bitrate',
      'fast',
      '--what',
      '3',
      '--edges',
    ];
    assert.throws(
      () => parseEstimate(argv),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, /^--region is "eu-1"; expected: us-east-1\.$/m);
        assert.match(error.message, /^--ladder is "144p"; expected: some of 1080p,/m);
        assert.match(error.message, /^--viewers is "0"; expected: a whole number from 1 to/m);
        assert.match(error.message, /^--bitrate is "fast"; expected: a bit rate such as/m);
        assert.match(error.message, /^--edges has no value; expected: a whole number/m);
        assert.match(
          error.message,
          /^Unknown option --what; expected: one of --region, --ladder,/m,
        );
        return true;
      },
    );
  });
});

test('idle resources: those that cost money are counted in the templates', () => {
  const resource = (Type: string, Properties: Record<string, unknown> = {}) => ({
    Type,
    Properties,
  });
  const parts = idleResources(
    [
      {
        Resources: {
          a: resource('AWS::SecretsManager::Secret'),
          b: resource('AWS::CloudWatch::Alarm', { MetricName: 'x' }),
          c: resource('AWS::CloudWatch::Alarm', {
            Metrics: [{ MetricStat: {} }, { MetricStat: {} }, { Expression: 'a + b' }],
          }),
          d: resource('AWS::Lambda::EventSourceMapping', { EventSourceArn: 'jobs' }),
          e: resource('AWS::Lambda::EventSourceMapping', { EventSourceArn: 'steps.fifo' }),
        },
      },
      {},
      {
        Resources: {
          f: resource('AWS::Events::Rule', { ScheduleExpression: 'rate(5 minutes)' }),
          g: resource('AWS::EC2::NatGateway'),
          h: resource('AWS::S3::Bucket'),
          i: resource('AWS::CloudWatch::Dashboard'),
        },
      },
    ],
    (arn) => String(arn).endsWith('.fifo'),
  );
  assert.deepEqual(parts, {
    secrets: 1,
    alarmMetrics: 3,
    dashboards: 1,
    standardQueuePollers: 1,
    fifoQueuePollers: 1,
    scheduledRunsPerMonth: 8760,
    unknownHourly: ['AWS::EC2::NatGateway'],
  });
});

describe('estimate report', () => {
  test('numbers have three significant digits', () => {
    assert.deepEqual([0, 12.345, 0.14, 0.00512, 0.0000361].map(dollars), [
      '$0',
      '$12.35',
      '$0.140',
      '$0.00512',
      '$0.0000361',
    ]);
    assert.deepEqual([0, 1234.5, 2.1, 0.00181234].map(amount), ['0', '1,235', '2.1', '0.00181']);
  });

  test('text and Markdown show the same sums, and what was not verified', () => {
    const scenario = scenarioOf();
    const estimate = {
      scenario,
      facts: FACTS,
      prices: US_EAST_1,
      costs: costs(scenario, FACTS, US_EAST_1),
      services: MANAGED_SERVICES,
      measuredCpu: true,
    };
    const markdown = report(estimate, true);
    const text = report(estimate, false);
    assert.match(markdown, /^\| S3: PUT \| 9,900 \| requests \| \$0\.0495 \|$/m);
    assert.match(text, /^ {2}S3: PUT +9,900 +requests .* \$0\.0495$/m);
    // 0.294 + 2 × 0.702 + 3 × 0.354; a hundred viewers at 1.35 GB.
    assert.match(
      markdown,
      /^\| AWS MediaLive, S3 and CloudFront \| \$2\.76 \| \$0\.115 \| \$0\.0936 \| \$14\.23 \|$/m,
    );
    assert.match(markdown, /^\| Livepeer Studio \(not verified\) \|/m);
    assert.match(
      markdown,
      /\[Amazon SQS pricing\]\(https:.+\), as of 2025-06, not verified: \$0\.4 per million/,
    );
  });
});
