/**
 * The ports of one function on AWS, made at its cold start. An entry makes only those that it uses:
 * its bundle then carries no other client, and its role needs no other right.
 */

import { awsConfig } from '../../lib/aws/aws-config.ts';
import { DynamoStreamIndex } from '../../lib/aws/dynamo-stream-index.ts';
import { EcsWorkerFleet } from '../../lib/aws/ecs-worker-fleet.ts';
import { S3MediaStore } from '../../lib/aws/s3-media-store.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { standingFleet } from '../../lib/aws/standing-fleet.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import type {
  Clock,
  MediaStore,
  QueueName,
  StreamIndex,
  WorkerFleet,
  WorkQueue,
  WorkQueues,
} from '../../lib/pipeline/ports.ts';
import { noteSent } from '../correlation.ts';
import { setting } from './settings.ts';

export const config = awsConfig(process.env);

export const clock: Clock = { now: () => Date.now() };

type Parts = Readonly<{
  media?: MediaStore;
  index?: StreamIndex;
  fleet?: WorkerFleet;
  queues?: Partial<WorkQueues>;
  ownerKey?: Readonly<{ hash: string }>;
}>;

/** A step that asks for a part which its function was not given fails and says which. */
export function functionDeps({ media, index, fleet, queues = {}, ownerKey }: Parts): Deps {
  return {
    clock,
    streamDefaults: JSON.parse(process.env.RIVULET_STREAM_DEFAULTS ?? '{}'),
    media: media ?? absent('media store'),
    index: index ?? absent('stream index'),
    fleet: fleet ?? absent('fleet'),
    queues: {
      transcode: queues.transcode ?? absent('transcode queue'),
      publish: queues.publish ?? absent('publish queue'),
      timers: queues.timers ?? absent('timers queue'),
      ingest: queues.ingest ?? absent('ingest queue'),
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

export const mediaStore = (): MediaStore =>
  new S3MediaStore(config.connection, { bucket: config.bucket, clock });

export const streamIndex = (): StreamIndex =>
  new DynamoStreamIndex(config.connection, config.table);

let client: ReturnType<typeof sqsClient> | undefined;

function queue(url: string, grouped = false): WorkQueue {
  client ??= sqsClient(config.connection);
  return new SqsWorkQueue({ url, client, clock, grouped });
}

export const workQueue = (name: QueueName): WorkQueue =>
  noteSent(queue(config.queueUrls[name], name === 'publish'));

/** Calls for looks of the scaling decision. */
export const looksQueue = (): WorkQueue => queue(setting('RIVULET_LOOKS_QUEUE'));

const LOOK_INTERVAL_MS = 10_000;

/** Asks for a first worker itself, and calls for a look at how many it should be. */
export function workerFleet(index: StreamIndex): WorkerFleet {
  const { connection, service } = config;
  if (!service) return standingFleet({ index, clock });
  const fleet = new EcsWorkerFleet(connection, { ...service, index, clock });
  const looks = looksQueue();
  let lookAtMs = 0;
  return {
    scalesToZero: true,
    running: () => fleet.running(),
    async ensure(count) {
      await fleet.ensure(count);
      // Each upload asks; one look in a while answers all.
      if (clock.now() - lookAtMs < LOOK_INTERVAL_MS) return;
      lookAtMs = clock.now();
      await looks.send([{ body: '{}' }]);
    },
  };
}
