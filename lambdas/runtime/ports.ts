/**
 * The ports of one function on AWS, made at its cold start. An entry makes only those that it uses:
 * its bundle then carries no other client, and its role needs no other permission.
 */

import { awsConfig } from '../../lib/aws/aws-config.ts';
import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { EcsWorkerFleet } from '../../lib/aws/ecs-worker-fleet.ts';
import { staticFleet } from '../../lib/aws/static-fleet.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import type {
  Clock,
  MediaStore,
  RecordStore,
  WorkerFleet,
  WorkQueues,
} from '../../lib/ports/ports.ts';
import { forEachQueue } from '../../lib/ports/queues.ts';

export const config = awsConfig(process.env);

export const clock: Clock = { now: () => Date.now() };

export type Parts = Readonly<{
  media?: MediaStore;
  store?: RecordStore;
  fleet?: WorkerFleet;
  queues?: Partial<WorkQueues>;
  inspection?: Deps['inspection'];
  remuxing?: Deps['remuxing'];
  ownerKey?: Readonly<{ hash: string }>;
}>;

/** A step that uses a part which its function was not given throws an error that names it. */
export function functionDeps(parts: Parts): Deps {
  const store = parts.store ?? absent<RecordStore>('record store');
  return {
    clock,
    streamDefaults: JSON.parse(process.env.RIVULET_STREAM_DEFAULTS ?? '{}'),
    media: parts.media ?? absent('media store'),
    store,
    records: new StreamRecords(store),
    fleet: parts.fleet ?? absent('fleet'),
    inspection: parts.inspection ?? absent('threads for inspection'),
    remuxing: parts.remuxing ?? absent('threads for remuxing'),
    queues: forEachQueue((name) => parts.queues?.[name] ?? absent(`queue ${name}`)),
    // The key may be changed while the function is warm.
    get ownerKeyHash() {
      return parts.ownerKey?.hash ?? '';
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

export function workerFleet(store: RecordStore): WorkerFleet {
  const { connection, service } = config;
  return service ? new EcsWorkerFleet(connection, service) : staticFleet({ store, clock });
}
