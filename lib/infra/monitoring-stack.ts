/**
 * The alarms, and a dashboard of a deployment's health: apart from the core, as emulators do not know
 * alarms that add up metrics.
 */

import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { MetricName } from '../../lambdas/runtime/observability.ts';
import type { CoreStack } from './core-stack.ts';
import { FUNCTIONS, type FunctionName } from './function-table.ts';
import type { DeploymentOptions } from './options.ts';
import { METRICS_NAMESPACE, stackName, workersName } from './stage-names.ts';

type MonitoringProps = Readonly<{ options: DeploymentOptions; core: CoreStack }>;

const MINUTE = Duration.minutes(1);
/** An alarm adds up ten metrics at most: the functions that a live stream needs. */
const HOT: readonly FunctionName[] = [
  'upload',
  'push',
  'upload-completed',
  'publish',
  'delayed',
  'view-metadata',
  'view-playlist',
  'view-segment',
];

export class MonitoringStack extends Stack {
  constructor(scope: Construct, props: MonitoringProps) {
    const { stage } = props.options;
    super(scope, stackName(stage, 'monitoring'), { description: `Rivulet ${stage}: alarms` });
    new AlarmsAndDashboard(this, 'AlarmsAndDashboard', props);
  }
}

class AlarmsAndDashboard extends Construct {
  readonly #core: CoreStack;
  readonly #stage: string;
  readonly #topic: Topic | undefined;

  constructor(scope: Construct, id: string, { options, core }: MonitoringProps) {
    super(scope, id);
    this.#core = core;
    this.#stage = options.stage;
    this.#topic = options.alarmEmail === undefined ? undefined : this.#notify(options.alarmEmail);
    this.#alarms();
    this.#dashboard();
  }

  #notify(address: string): Topic {
    const topic = new Topic(this, 'Topic', { enforceSSL: true });
    topic.addSubscription(new EmailSubscription(address));
    return topic;
  }

  #alarms(): void {
    const { queues, functions, api, table } = this.#core;
    const oldest = queues.queues.liveJobs.metricApproximateAgeOfOldestMessage({ period: MINUTE });
    // A cold start is a minute; workers that cannot start at all leave jobs for longer.
    this.#alarm('OldestJob', 'Jobs wait for workers', oldest, { threshold: 180, periods: 3 });
    // Behind live jobs for as long as the fleet is at its limit: viewers have the live playlists.
    const backfill = queues.queues.backfillJobs.metricApproximateAgeOfOldestMessage({
      period: MINUTE,
    });
    this.#alarm('OldestBackfillJob', 'Back-fill jobs wait for workers', backfill, {
      threshold: 3600,
      periods: 3,
    });
    const takers = FUNCTIONS.filter(([, { deadLetters }]) => deadLetters);
    const dead = this.#sum(takers.map(([name]) => functions.get(name).lambda.metricInvocations()));
    this.#alarm('DeadLetters', 'Messages failed again and again', dead, { threshold: 1 });
    const stuck = this.#sum(this.#deadLetters());
    this.#alarm('StuckDeadLetters', 'Dead letters are left to lie', stuck, {
      threshold: 1,
      periods: 3,
    });
    const errors = api.metricServerError({ period: Duration.minutes(5), statistic: 'sum' });
    this.#alarm('ServerErrors', 'The HTTP API fails', errors, { threshold: 5 });
    const delay = this.#own('PublishDelay', 'publish', Stats.p(95));
    this.#alarm('PublishDelay', 'Segments reach viewers late', delay, {
      threshold: 30_000,
      periods: 3,
    });
    const throttles = this.#sum(HOT.map((name) => functions.get(name).lambda.metricThrottles()));
    this.#alarm('Throttles', 'AWS throttles functions', throttles, { threshold: 1, periods: 2 });
    const tableThrottles = new Metric({
      namespace: 'AWS/DynamoDB',
      metricName: 'ThrottledRequests',
      dimensionsMap: { TableName: table.tableName },
      statistic: 'sum',
    });
    this.#alarm('TableThrottles', 'DynamoDB throttles the index', tableThrottles, {
      threshold: 1,
      periods: 2,
    });
  }

  #alarm(
    id: string,
    description: string,
    metric: IMetric,
    { threshold, periods = 1 }: Readonly<{ threshold: number; periods?: number }>,
  ): void {
    const alarm = new Alarm(this, id, {
      alarmDescription: `Rivulet ${this.#stage}: ${description}`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic) alarm.addAlarmAction(new SnsAction(this.#topic));
  }

  #deadLetters(): Metric[] {
    const { deadLetters } = this.#core.queues;
    return Object.values(deadLetters).map((queue) =>
      queue.metricApproximateNumberOfMessagesVisible(),
    );
  }

  /** Of those that report: with `+` one that is silent, as a function never called, silences all. */
  #sum(metrics: readonly IMetric[]): IMetric {
    const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
    const filled = Object.keys(usingMetrics).map((name) => `FILL(${name}, 0)`);
    return new MathExpression({
      expression: `SUM([${filled.join(', ')}])`,
      usingMetrics,
      period: Duration.minutes(5),
    });
  }

  /** A metric that functions report; `service` is the function's name. */
  #own(name: MetricName, service: FunctionName, statistic: string): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: name,
      dimensionsMap: { service, stage: this.#stage },
      statistic,
      period: MINUTE,
      label: `${service} ${statistic}`,
    });
  }

  #dashboard(): void {
    const { queues, functions, api, table } = this.#core;
    const { liveJobs, backfillJobs } = queues.queues;
    const stage = this.#stage;
    const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
      new GraphWidget({ title, left, right, width: 8, height: 6, period: MINUTE });
    const own = this.#own.bind(this);
    const dashboardName = stackName(stage, 'monitoring');
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName });
    dashboard.addWidgets(
      graph('Segments per minute', [
        own('SegmentsUploaded', 'upload', 'sum'),
        own('SegmentsUploaded', 'push', 'sum'),
        own('QueueDelay', 'upload-completed', 'n'),
        own('PublishDelay', 'publish', 'n'),
        own('SegmentsLost', 'jobs-dead', 'sum'),
      ]),
      graph(
        'Upload to playlist, ms',
        ['p50', 'p95', 'max'].map((statistic) => own('PublishDelay', 'publish', statistic)),
      ),
      graph(
        'Delay per hop, ms (transcode: s)',
        (['publish', 'delayed', 'upload-completed'] as const).map((name) =>
          own('QueueDelay', name, 'p95'),
        ),
        [liveJobs.metricApproximateAgeOfOldestMessage()],
      ),
    );
    dashboard.addWidgets(
      graph(
        'Jobs and workers',
        [liveJobs, backfillJobs].flatMap((queue) => [
          queue.metricApproximateNumberOfMessagesVisible(),
          queue.metricApproximateNumberOfMessagesNotVisible(),
        ]),
        [own('WorkersDesired', 'scaling', 'max'), own('WorkersRunning', 'scaling', 'max')],
      ),
      graph('HTTP', [
        api.metricCount({ statistic: 'sum' }),
        api.metricClientError({ statistic: 'sum' }),
        api.metricServerError({ statistic: 'sum' }),
      ]),
      graph(
        'Answer times, p95',
        (['upload', 'push', 'view-playlist', 'view-segment'] as const).map((name) =>
          functions.get(name).lambda.metricDuration({ statistic: 'p95' }),
        ),
      ),
    );
    dashboard.addWidgets(
      graph('Dead letters', this.#deadLetters()),
      graph(
        'What costs: worker minutes and uploaded bytes',
        [
          new Metric({
            namespace: 'ECS/ContainerInsights',
            metricName: 'RunningTaskCount',
            dimensionsMap: { ClusterName: workersName(stage), ServiceName: workersName(stage) },
            statistic: 'avg',
          }),
        ],
        [own('BytesUploaded', 'upload', 'sum'), own('BytesUploaded', 'push', 'sum')],
      ),
      graph('What costs: index units and invocations', [
        table.metricConsumedReadCapacityUnits({ statistic: 'sum' }),
        table.metricConsumedWriteCapacityUnits({ statistic: 'sum' }),
        ...HOT.slice(0, 4).map((name) => functions.get(name).lambda.metricInvocations()),
      ]),
    );
  }
}
