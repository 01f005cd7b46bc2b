/** The queues of the table, and their queues of dead letters. */

import { Aws, Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  type DeadLetterName,
  forEachDeadLetterQueue,
  forEachQueue,
  MAX_DELIVERIES,
  type QueueName,
  type QueueSpec,
} from '../ports/queues.ts';
import { retentionRuleName, scalingRuleName } from './stage-names.ts';

const RETENTION_SECONDS = 4 * 86_400;
const DEAD_LETTERS_RETENTION = Duration.days(14);

/**
 * Messages stay invisible a little longer than a function may run. AWS recommends six times that,
 * against throttled pollers; but a live stream waits for the retry, and dead letters of throttled steps
 * are sent again.
 */
export class Queues extends Construct {
  readonly queues: Readonly<Record<QueueName, Queue>>;
  readonly deadLetters: Readonly<Record<DeadLetterName, Queue>>;

  constructor(scope: Construct, id: string, { stage }: Readonly<{ stage: string }>) {
    super(scope, id);
    this.deadLetters = forEachDeadLetterQueue(
      (name, spec) =>
        new Queue(this, `${title(name)}Dead`, {
          ...common(spec),
          visibilityTimeout: Duration.seconds(35),
          retentionPeriod: DEAD_LETTERS_RETENTION,
        }),
    );
    this.queues = forEachQueue((name, spec) => {
      const { leaseSeconds, retentionSeconds = RETENTION_SECONDS, deadLetters } = spec;
      const queue = new Queue(this, title(name), {
        ...common(spec),
        visibilityTimeout: Duration.seconds(leaseSeconds),
        retentionPeriod: Duration.seconds(retentionSeconds),
        ...(deadLetters && {
          deadLetterQueue: {
            queue: this.deadLetters[deadLetters],
            maxReceiveCount: MAX_DELIVERIES,
          },
        }),
      });
      if (!deadLetters) {
        Validations.of(queue).acknowledge({
          id: 'AwsSolutions-SQS3',
          reason: 'A message that fails expires; the next one of its kind makes up for it.',
        });
      }
      return queue;
    });
    letScheduleCall(this.queues.scaling, scalingRuleName(stage));
    letScheduleCall(this.queues.delayed, retentionRuleName(stage));
  }
}

function letScheduleCall(queue: Queue, ruleName: string): void {
  const rule = `${Aws.REGION}:${Aws.ACCOUNT_ID}:rule/${ruleName}`;
  queue.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      conditions: { ArnEquals: { 'aws:SourceArn': `arn:${Aws.PARTITION}:events:${rule}` } },
    }),
  );
}

const common = ({ groups }: QueueSpec) => ({
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  // SQS takes "false" for a mistake.
  ...(groups === 'ordered' ? { fifo: true } : {}),
});

const title = (name: string): string => `${name[0]?.toUpperCase()}${name.slice(1)}`;
