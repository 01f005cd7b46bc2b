/**
 * The ports of one function on AWS, made at its cold start. An entry makes only those that it uses:
 * its bundle then carries no other client, and its role needs no other right.
 */

import { awsConfig } from '../../lib/aws/aws-config.ts';
import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { EcsWorkerFleet } from '../../lib/aws/ecs-worker-fleet.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { staticFleet } from '../../lib/aws/static-fleet.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import type {
  Clock,
  MediaStore,
  QueueName,
  RecordStore,
  WorkerFleet,
  WorkQueue,
  WorkQueues,
} from '../../lib/pipeline/ports.ts';
import { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import { noteSent } from './correlation.ts';

export const config = awsConfig(process.env);

export const clock: Clock = { now: () => Date.now() };

type Parts = Readonly<{
  media?: MediaStore;
  store?: RecordStore;
  fleet?: WorkerFleet;
  queues?: Partial<WorkQueues>;
  ownerKey?: Readonly<{ hash: string }>;
}>;

/** A step that asks for a part which its function was not given fails and says which. */
export function functionDeps({ media, store, fleet, queues = {}, ownerKey }: Parts): Deps {
  const recordStore = store ?? absent<RecordStore>('record store');
  return {
    clock,
    streamDefaults: JSON.parse(process.env.RIVULET_STREAM_DEFAULTS ?? '{}'),
    media: media ?? absent('media store'),
    store: recordStore,
    records: new StreamRecords(recordStore),
    fleet: fleet ?? absent('fleet'),
    queues: {
      transcode: queues.transcode ?? absent('transcode queue'),
      publish: queues.publish ?? absent('publish queue'),
      timers: queues.timers ?? absent('timers queue'),
      ingest: queues.ingest ?? absent('ingest queue'),
      looks: queues.looks ?? absent('looks queue'),
    },
    // The key may be changed while the function is warm.
    get ownerKeyHash() {
      return ownerKey?.hash ?? '';
    },
  };
}

const absent = <Part extends object>(name: string): Part =>
  new Proxy({} as Part, {
    get() {
      throw new Error(`This function was given no ${name}.`);
    },
  });

export const recordStore = (): RecordStore =>
  new DynamoRecordStore(config.connection, config.table);

let client: ReturnType<typeof sqsClient> | undefined;

export function workQueue(name: QueueName): WorkQueue {
  client ??= sqsClient(config.connection);
  const url = config.queueUrls[name];
  return noteSent(new SqsWorkQueue({ url, client, clock, grouped: name === 'publish' }));
}

export function workerFleet(store: RecordStore): WorkerFleet {
  const { connection, service } = config;
  return service ? new EcsWorkerFleet(connection, service) : staticFleet({ store, clock });
}
