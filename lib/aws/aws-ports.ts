/** The ports on AWS, for a process that uses all of them. Functions may open those they need. */

import type { Clock, Ports, WorkQueue } from '../ports/ports.ts';
import { forEachQueue } from '../ports/queues.ts';
import type { AwsConfig } from './aws-config.ts';
import { DynamoRecordStore } from './dynamo-record-store.ts';
import { EcsWorkerFleet } from './ecs-worker-fleet.ts';
import { S3MediaStore } from './s3-media-store.ts';
import { SqsWorkQueue, sqsClient } from './sqs-work-queue.ts';
import { staticFleet } from './static-fleet.ts';
import { uploadCompletedQueue } from './upload-completed-queue.ts';

export type AwsPorts = Ports & Readonly<{ close(): void }>;

const systemClock: Clock = { now: () => Date.now() };

/** Clients are made once; they keep their connections. */
export function awsPorts(config: AwsConfig, clock = systemClock): AwsPorts {
  const { connection, bucket, table, queueUrls, service } = config;
  const media = new S3MediaStore(connection, { bucket, clock });
  const store = new DynamoRecordStore(connection, table);
  const client = sqsClient(connection);
  const ecs = service && new EcsWorkerFleet(connection, service);
  const queues = forEachQueue(
    (name, { groups }): WorkQueue =>
      new SqsWorkQueue({ url: queueUrls[name], client, clock, groups }),
  );
  return {
    media,
    store,
    queues: { ...queues, uploadCompleted: uploadCompletedQueue(queues.uploadCompleted) },
    fleet: ecs ?? staticFleet({ store, clock }),
    clock,
    close: () => {
      media.close();
      store.close();
      client.destroy();
      ecs?.close();
    },
  };
}
