/** Resources of a deployment that cost money while nobody streams, counted in its templates. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FUNCTION_TABLE } from '../../lib/infra/function-table.ts';
import { rivuletApp } from '../../lib/infra/rivulet-app.ts';

type Resource = Readonly<{ Type: string; Properties?: Readonly<Record<string, unknown>> }>;
type CloudTemplate = Readonly<{ Resources?: Readonly<Record<string, Resource>> }>;

export type IdleResources = Readonly<{
  secrets: number;
  /** An alarm is on one metric, or on the sum of several. */
  alarmMetrics: number;
  dashboards: number;
  /** Event source mappings: Lambda polls their queues all the time. */
  standardQueuePollers: number;
  fifoQueuePollers: number;
  scheduledRunsPerMonth: number;
  /** Types with an hourly price that this estimate does not know. There should be none. */
  unknownHourly: readonly string[];
}>;

const HOURLY =
  /^AWS::(?:EC2::(?:NatGateway|Instance|EIP|TransitGateway)|ElasticLoadBalancing|RDS::|ElastiCache::|WAF|Kinesis::|KMS::Key$|Route53::HostedZone)/;
const MINUTES_PER_MONTH = 730 * 60;

export function idleResources(
  templates: readonly CloudTemplate[],
  /** Whether an event source mapping's queue is FIFO. */
  isFifo: (eventSourceArn: unknown) => boolean,
): IdleResources {
  const resources = templates.flatMap(({ Resources = {} }) => Object.values(Resources));
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);
  const sources = ofType('AWS::Lambda::EventSourceMapping');
  const fifo = sources.filter(({ Properties }) => isFifo(Properties?.EventSourceArn)).length;
  return {
    secrets: ofType('AWS::SecretsManager::Secret').length,
    alarmMetrics: sum(ofType('AWS::CloudWatch::Alarm').map(metricsOf)),
    dashboards: ofType('AWS::CloudWatch::Dashboard').length,
    standardQueuePollers: sources.length - fifo,
    fifoQueuePollers: fifo,
    scheduledRunsPerMonth: sum(ofType('AWS::Events::Rule').map(runsPerMonth)),
    unknownHourly: resources.map(({ Type }) => Type).filter((type) => HOURLY.test(type)),
  };
}

function metricsOf({ Properties }: Resource): number {
  const Metrics = Properties?.Metrics;
  if (!Array.isArray(Metrics)) return 1;
  return Metrics.filter((metric: object) => 'MetricStat' in metric).length;
}

function runsPerMonth({ Properties }: Resource): number {
  const expression = String(Properties?.ScheduleExpression);
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (!unit) return 0;
  const minutes = { minute: 1, hour: 60, day: 1440 }[unit] ?? 1;
  return MINUTES_PER_MONTH / (Number(count) * minutes);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Of a deployment with default options. */
export function deployedIdleResources(): IdleResources {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-estimate-'));
  try {
    const { app } = rivuletApp(emptyArtifacts(folder), { outdir: join(folder, 'cdk') });
    const stacks = app.node.findAll().filter((node) => node instanceof Stack);
    const templates = stacks.map((stack) => Template.fromStack(stack).toJSON());
    // A queue's logical id begins with those of the constructs that it is in, and with its name.
    return idleResources(templates, (arn) => /Queues(?:Publish)/.test(JSON.stringify(arn)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Empty files under the names that the app expects: nothing is built. */
function emptyArtifacts(folder: string) {
  const bundles = join(folder, 'functions');
  for (const name of Object.keys(FUNCTION_TABLE)) {
    mkdirSync(join(bundles, name), { recursive: true });
    writeFileSync(join(bundles, name, 'index.mjs'), `// ${name}`);
  }
  const imageFolder = join(folder, 'image');
  mkdirSync(imageFolder);
  writeFileSync(join(imageFolder, 'Dockerfile'), 'FROM scratch');
  const contentSecurityPolicy = "default-src 'self'";
  return { bundles, imageFolder, contentSecurityPolicy, healthCommand: 'true' };
}
