/** The ports on AWS, for a process that uses all of them. Functions may open those they need. */

import type { Clock, Ports, WorkQueue } from '../pipeline/ports.ts';
import type { AwsConfig } from './aws-config.ts';
import { DynamoRecordStore } from './dynamo-record-store.ts';
import { EcsWorkerFleet } from './ecs-worker-fleet.ts';
import { S3MediaStore } from './s3-media-store.ts';
import { SqsWorkQueue, sqsClient } from './sqs-work-queue.ts';
import { staticFleet } from './static-fleet.ts';
import { objectStoredQueue } from './upload-completed-queue.ts';

export type AwsPorts = Ports & Readonly<{ close(): void }>;

const systemClock: Clock = { now: () => Date.now() };

/** Clients are made once; they keep their connections. */
export function awsPorts(config: AwsConfig, clock = systemClock): AwsPorts {
  const { connection, bucket, table, queueUrls, service } = config;
  const media = new S3MediaStore(connection, { bucket, clock });
  const store = new DynamoRecordStore(connection, table);
  const client = sqsClient(connection);
  const ecs = service && new EcsWorkerFleet(connection, service);
  const queue = (url: string, grouped = false): WorkQueue =>
    new SqsWorkQueue({ url, client, clock, grouped });
  return {
    media,
    store,
    queues: {
      transcode: queue(queueUrls.transcode),
      publish: queue(queueUrls.publish, true),
      timers: queue(queueUrls.timers),
      ingest: objectStoredQueue(queue(queueUrls.ingest)),
      looks: queue(queueUrls.looks),
    },
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
