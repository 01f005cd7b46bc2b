/** Resources of a deployment that cost money while nobody streams, counted in its templates. */

export type CloudTemplate = Readonly<{
  Resources?: Readonly<
    Record<string, Readonly<{ Type: string; Properties?: Readonly<Record<string, unknown>> }>>
  >;
}>;

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
  const sources = ofType('AWS::Lambda::EventSourceMapping').map(
    ({ Properties }) => Properties?.EventSourceArn,
  );
  const fifo = sources.filter(isFifo).length;
  return {
    secrets: ofType('AWS::SecretsManager::Secret').length,
    alarmMetrics: sum(
      ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => metricsOf(Properties)),
    ),
    dashboards: ofType('AWS::CloudWatch::Dashboard').length,
    standardQueuePollers: sources.length - fifo,
    fifoQueuePollers: fifo,
    scheduledRunsPerMonth: sum(
      ofType('AWS::Events::Rule').map(({ Properties }) =>
        runsPerMonth(Properties?.ScheduleExpression),
      ),
    ),
    unknownHourly: resources.map(({ Type }) => Type).filter((type) => HOURLY.test(type)),
  };
}

function metricsOf(properties: Readonly<Record<string, unknown>> = {}): number {
  const { Metrics } = properties;
  if (!Array.isArray(Metrics)) return 1;
  return Metrics.filter((metric: object) => 'MetricStat' in metric).length;
}

function runsPerMonth(expression: unknown): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(expression)) ?? [];
  if (!unit) return 0;
  const minutes = { minute: 1, hour: 60, day: 1440 }[unit] ?? 1;
  return MINUTES_PER_MONTH / (Number(count) * minutes);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
