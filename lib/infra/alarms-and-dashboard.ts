/** The alarms, and a dashboard of a deployment's health. */

import { Duration } from 'aws-cdk-lib';
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
import { DEAD_LETTER_NAMES } from '../ports/queues.ts';
import { FUNCTIONS, type FunctionName } from './function-table.ts';
import type { Functions } from './functions.ts';
import type { HttpApi } from './http-api.ts';
import type { Queues } from './queues.ts';
import { METRICS_NAMESPACE, stackName, workersName } from './stage-names.ts';
import type { StreamTable } from './stream-table.ts';

export type AlarmsAndDashboardProps = Readonly<{
  stage: string;
  alarmEmail: string | undefined;
  queues: Queues;
  functions: Functions;
  api: HttpApi;
  table: StreamTable;
}>;

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

export class AlarmsAndDashboard extends Construct {
  readonly #props: AlarmsAndDashboardProps;
  readonly #topic: Topic | undefined;

  constructor(scope: Construct, id: string, props: AlarmsAndDashboardProps) {
    super(scope, id);
    this.#props = props;
    this.#topic = props.alarmEmail === undefined ? undefined : this.#tell(props.alarmEmail);
    this.#alarms();
    this.#dashboard();
  }

  #tell(address: string): Topic {
    const topic = new Topic(this, 'Topic', { enforceSSL: true });
    topic.addSubscription(new EmailSubscription(address));
    return topic;
  }

  #alarms(): void {
    const { queues, functions, api, table } = this.#props;
    // A cold start is a minute; workers that cannot start at all leave jobs for longer.
    this.#alarm('OldestJob', 'Jobs wait for workers', {
      metric: queues.queues.liveJobs.metricApproximateAgeOfOldestMessage({ period: MINUTE }),
      threshold: 180,
      periods: 3,
    });
    const dead = FUNCTIONS.filter(([, { deadLetters }]) => deadLetters);
    this.#alarm('DeadLetters', 'Messages failed again and again', {
      metric: this.#sum(dead.map(([name]) => functions.get(name).lambda.metricInvocations())),
      threshold: 1,
    });
    this.#alarm('StuckDeadLetters', 'Dead letters are left to lie', {
      metric: this.#sum(
        DEAD_LETTER_NAMES.map((name) =>
          queues.deadLetters[name].metricApproximateNumberOfMessagesVisible(),
        ),
      ),
      threshold: 1,
      periods: 3,
    });
    this.#alarm('ServerErrors', 'The HTTP API fails', {
      metric: api.api.metricServerError({ period: Duration.minutes(5), statistic: 'sum' }),
      threshold: 5,
    });
    this.#alarm('PublishDelay', 'Segments reach viewers late', {
      metric: this.#own('PublishDelay', 'publish', Stats.p(95)),
      threshold: 30_000,
      periods: 3,
    });
    this.#alarm('Throttles', 'AWS throttles functions', {
      metric: this.#sum(HOT.map((name) => functions.get(name).lambda.metricThrottles())),
      threshold: 1,
      periods: 2,
    });
    this.#alarm('TableThrottles', 'DynamoDB throttles the index', {
      metric: new Metric({
        namespace: 'AWS/DynamoDB',
        metricName: 'ThrottledRequests',
        dimensionsMap: { TableName: table.table.tableName },
        statistic: 'sum',
      }),
      threshold: 1,
      periods: 2,
    });
  }

  #alarm(
    id: string,
    description: string,
    { metric, threshold, periods = 1 }: { metric: IMetric; threshold: number; periods?: number },
  ): void {
    const alarm = new Alarm(this, id, {
      alarmDescription: `Rivulet ${this.#props.stage}: ${description}`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic) alarm.addAlarmAction(new SnsAction(this.#topic));
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
      dimensionsMap: { service, stage: this.#props.stage },
      statistic,
      period: MINUTE,
      label: `${service} ${statistic}`,
    });
  }

  #dashboard(): void {
    const { stage, queues, functions, api, table } = this.#props;
    const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
      new GraphWidget({ title, left, right, width: 8, height: 6, period: MINUTE });
    const own = this.#own.bind(this);
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: stackName(stage, 'monitoring'),
    });
    dashboard.addWidgets(
      graph('Segments per minute', [
        own('SegmentsUploaded', 'upload', 'sum'),
        own('SegmentsUploaded', 'push', 'sum'),
        own('QueueDelay', 'upload-completed', 'n'),
        own('PublishDelay', 'publish', 'n'),
        own('SegmentsLost', 'jobs-dead', 'sum'),
      ]),
      graph('Upload to playlist, ms', [
        own('PublishDelay', 'publish', 'p50'),
        own('PublishDelay', 'publish', 'p95'),
        own('PublishDelay', 'publish', 'max'),
      ]),
      graph(
        'Delay per hop, ms (transcode: s)',
        [
          own('QueueDelay', 'publish', 'p95'),
          own('QueueDelay', 'delayed', 'p95'),
          own('QueueDelay', 'upload-completed', 'p95'),
        ],
        [queues.queues.liveJobs.metricApproximateAgeOfOldestMessage()],
      ),
    );
    dashboard.addWidgets(
      graph(
        'Jobs and workers',
        [
          queues.queues.liveJobs.metricApproximateNumberOfMessagesVisible(),
          queues.queues.liveJobs.metricApproximateNumberOfMessagesNotVisible(),
        ],
        [own('WorkersDesired', 'scaling', 'max'), own('WorkersRunning', 'scaling', 'max')],
      ),
      graph('HTTP', [
        api.api.metricCount({ statistic: 'sum' }),
        api.api.metricClientError({ statistic: 'sum' }),
        api.api.metricServerError({ statistic: 'sum' }),
      ]),
      graph('Answer times, p95', [
        ...(['upload', 'push', 'view-playlist', 'view-segment'] as const).map((name) =>
          functions.get(name).lambda.metricDuration({ statistic: 'p95' }),
        ),
      ]),
    );
    dashboard.addWidgets(
      graph(
        'Dead letters',
        DEAD_LETTER_NAMES.map((name) =>
          queues.deadLetters[name].metricApproximateNumberOfMessagesVisible(),
        ),
      ),
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
        table.table.metricConsumedReadCapacityUnits({ statistic: 'sum' }),
        table.table.metricConsumedWriteCapacityUnits({ statistic: 'sum' }),
        ...HOT.slice(0, 4).map((name) => functions.get(name).lambda.metricInvocations()),
      ]),
    );
  }
}
