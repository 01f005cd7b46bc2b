/** Buckets, tables and queues as the infrastructure makes them, for one test. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { AwsConnection } from '../../lib/aws/connection.ts';
import { sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { TABLE_SCHEMA } from '../../lib/aws/table-schema.ts';
import { REPORTED_SUFFIX } from '../../lib/aws/upload-completed-queue.ts';
import {
  type DeadLetterName,
  forEachDeadLetterQueue,
  forEachQueue,
  MAX_DELIVERIES,
  QUEUE_NAMES,
  type QueueName,
  type QueueSpec,
  queueVariable,
} from '../../lib/ports/queues.ts';

type Groups = QueueSpec['groups'];

export type QueueUrls = Readonly<{ url: string; deadLetterUrl: string }>;

export async function makeTable(connection: AwsConnection): Promise<string> {
  const client = new DynamoDBClient(connection);
  const TableName = `table-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: TABLE_SCHEMA.partitionKey, AttributeType: 'S' },
        { AttributeName: TABLE_SCHEMA.sortKey, AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: TABLE_SCHEMA.partitionKey, KeyType: 'HASH' },
        { AttributeName: TABLE_SCHEMA.sortKey, KeyType: 'RANGE' },
      ],
    }),
  );
  client.destroy();
  return TableName;
}

export async function makeQueue(
  connection: AwsConnection,
  { groups, maxDeliveries }: Readonly<{ groups?: Groups; maxDeliveries: number }>,
): Promise<QueueUrls> {
  const client = sqsClient(connection);
  const name = `queue-${randomUUID()}`;
  const deadLetterUrl = await createQueue(client, `${name}-dead`, groups);
  const redrive = await redriveTo(client, deadLetterUrl, maxDeliveries);
  const url = await createQueue(client, name, groups, redrive);
  client.destroy();
  return { url, deadLetterUrl };
}

export type AllQueues = Readonly<{
  urls: Readonly<Record<QueueName, string>>;
  deadLetterUrls: Readonly<Record<DeadLetterName, string>>;
  /** The URLs as a process finds them. */
  env: Readonly<Record<string, string>>;
}>;

/** Every queue of the table, and those of the dead letters. */
export async function makeAllQueues(connection: AwsConnection): Promise<AllQueues> {
  const client = sqsClient(connection);
  const mark = randomUUID();
  const all = async <Name extends string>(made: Readonly<Record<Name, Promise<string>>>) => {
    const entries = Object.entries<Promise<string>>(made);
    const urls = await Promise.all(entries.map(async ([name, url]) => [name, await url]));
    return Object.fromEntries(urls) as Record<Name, string>;
  };
  const deadLetterUrls = await all(
    forEachDeadLetterQueue((name, { groups }) =>
      createQueue(client, `${name}-dead-${mark}`, groups),
    ),
  );
  const urls = await all(
    forEachQueue(async (name, { groups, deadLetters }) => {
      const redrive = deadLetters
        ? await redriveTo(client, deadLetterUrls[deadLetters], MAX_DELIVERIES)
        : {};
      return createQueue(client, `${name}-${mark}`, groups, redrive);
    }),
  );
  client.destroy();
  const env = QUEUE_NAMES.map((name) => [queueVariable(name), urls[name]]);
  return { urls, deadLetterUrls, env: Object.fromEntries(env) };
}

/** A bucket whose new objects are reported on a queue. */
export async function makeBucket(connection: AwsConnection, queueUrl: string): Promise<string> {
  const queues = sqsClient(connection);
  const client = new S3Client({ ...connection, forcePathStyle: true });
  const Bucket = `bucket-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: {
        QueueConfigurations: [
          {
            QueueArn: await arnOf(queues, queueUrl),
            Events: ['s3:ObjectCreated:*'],
            Filter: { Key: { FilterRules: [{ Name: 'suffix', Value: REPORTED_SUFFIX }] } },
          },
        ],
      },
    }),
  );
  client.destroy();
  queues.destroy();
  return Bucket;
}

export type ServiceUnderTest = Readonly<{
  cluster: string;
  service: string;
  desiredCount(): Promise<number | undefined>;
  scaleTo(desiredCount: number): Promise<void>;
  close(): void;
}>;

/** A service without tasks. */
export async function makeService(connection: AwsConnection): Promise<ServiceUnderTest> {
  const client = new ECSClient(connection);
  const [cluster, service, family] = ['cluster', 'service', 'family'].map(
    (what) => `${what}-${randomUUID()}`,
  ) as [string, string, string];
  await client.send(new CreateClusterCommand({ clusterName: cluster }));
  await client.send(
    new RegisterTaskDefinitionCommand({
      family,
      containerDefinitions: [{ name: 'worker', image: 'worker', essential: true }],
    }),
  );
  await client.send(
    new CreateServiceCommand({
      cluster,
      serviceName: service,
      taskDefinition: family,
      desiredCount: 0,
    }),
  );
  return {
    cluster,
    service,
    desiredCount: async () => {
      const command = new DescribeServicesCommand({ cluster, services: [service] });
      return (await client.send(command)).services?.[0]?.desiredCount;
    },
    scaleTo: async (desiredCount) => {
      await client.send(new UpdateServiceCommand({ cluster, service, desiredCount }));
    },
    close: () => client.destroy(),
  };
}

async function createQueue(
  client: SQSClient,
  name: string,
  groups: Groups,
  attributes: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { QueueUrl } = await client.send(
    new CreateQueueCommand({
      QueueName: groups === 'ordered' ? `${name}.fifo` : name,
      Attributes: { ...attributes, ...(groups === 'ordered' && { FifoQueue: 'true' }) },
    }),
  );
  assert.ok(QueueUrl);
  return QueueUrl;
}

const redriveTo = async (client: SQSClient, deadLetterUrl: string, maxReceiveCount: number) => ({
  RedrivePolicy: JSON.stringify({
    deadLetterTargetArn: await arnOf(client, deadLetterUrl),
    maxReceiveCount,
  }),
});

async function arnOf(client: SQSClient, QueueUrl: string): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await client.send(command);
  assert.ok(Attributes?.QueueArn);
  return Attributes.QueueArn;
}
