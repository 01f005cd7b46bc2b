/** The queues, each with its dead letters. */

import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { QueueName } from '../pipeline/ports.ts';
import { scalingRuleName } from './stage-names.ts';

/** A message that failed so often is a dead letter; as in the embedded engine. */
const MAX_DELIVERIES = 5;

/**
 * How long a message stays invisible while a function has it: a little longer than the function may
 * run. AWS recommends six times that, against throttled pollers; but a live stream waits for the
 * retry, and dead letters of throttled steps are sent again.
 */
const VISIBILITY_SECONDS: Readonly<Record<QueueName, number>> = {
  // Workers lease for 20 s at a time themselves.
  transcode: 30,
  publish: 35,
  timers: 35,
  ingest: 130,
  looks: 20,
};

export class Queues extends Construct {
  readonly queues: Readonly<Record<QueueName, Queue>>;
  readonly deadLetters: Readonly<Record<QueueName, Queue>>;

  constructor(scope: Construct, id: string, { stage }: Readonly<{ stage: string }>) {
    super(scope, id);
    const pairs = {
      transcode: this.#pair('transcode'),
      // In groups: the publisher is the only writer of a stream's timeline.
      publish: this.#pair('publish', true),
      timers: this.#pair('timers'),
      ingest: this.#pair('ingest'),
      looks: this.#pair('looks'),
    };
    this.queues = each(pairs, ([queue]) => queue);
    this.deadLetters = each(pairs, ([, dead]) => dead);
    this.#letScheduleCall(stage);
  }

  #letScheduleCall(stage: string): void {
    const { looks } = this.queues;
    const rule = `${Aws.REGION}:${Aws.ACCOUNT_ID}:rule/${scalingRuleName(stage)}`;
    looks.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [looks.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': `arn:${Aws.PARTITION}:events:${rule}` } },
      }),
    );
  }

  #pair(name: QueueName, fifo = false): readonly [queue: Queue, deadLetters: Queue] {
    const common = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // SQS takes "false" for a mistake.
      ...(fifo ? { fifo } : {}),
    };
    const title = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const dead = new Queue(this, `${title}Dead`, {
      ...common,
      visibilityTimeout: Duration.seconds(35),
      retentionPeriod: Duration.days(14),
    });
    const queue = new Queue(this, title, {
      ...common,
      visibilityTimeout: Duration.seconds(VISIBILITY_SECONDS[name]),
      // A look that nobody took is of no use any more.
      retentionPeriod: name === 'looks' ? Duration.minutes(5) : Duration.days(4),
      deadLetterQueue: { queue: dead, maxReceiveCount: MAX_DELIVERIES },
    });
    return [queue, dead];
  }
}

const each = <Name extends string, From, To>(
  record: Readonly<Record<Name, From>>,
  change: (from: From) => To,
): Record<Name, To> =>
  Object.fromEntries(
    Object.entries<From>(record).map(([name, from]) => [name, change(from)]),
  ) as Record<Name, To>;
