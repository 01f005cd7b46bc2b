/** The ports on one data folder, for the engine's process and for its workers. */

import type { Clock, Ports, QueueName, WorkerFleet } from '../pipeline/ports.ts';
import type { DataFolder } from './data-folder.ts';
import { FileMediaStore } from './file-media-store.ts';
import { openQueueDatabase } from './queue-database.ts';
import { QueueNotifier } from './queue-notifier.ts';
import { requestOrigin } from './request-origin.ts';
import { SqliteRecordStore } from './sqlite-record-store.ts';
import { deadLetterName, SqliteWorkQueue } from './sqlite-work-queue.ts';

export type EmbeddedOptions = Readonly<{
  /** Stamped on leases; the process id, if left out. */
  owner?: string;
  clock?: Clock;
  /** Left out in workers, which are not asked for others. */
  fleet?: WorkerFleet;
  /** Where clients reach the gateway, for grants made outside of a request: `http://host:port`. */
  origin?: () => string;
}>;

export type EmbeddedQueues = Readonly<Record<QueueName, SqliteWorkQueue>>;

export type EmbeddedPorts = Ports &
  Readonly<{
    media: FileMediaStore;
    store: SqliteRecordStore;
    queues: EmbeddedQueues;
    deadLetters: EmbeddedQueues;
    /** Gives back what a process that is no more had received. */
    releaseOwned(owner: string): void;
    /** Gives back everything; for the engine's start, when no process of its last life is left. */
    releaseAll(): void;
    close(): void;
  }>;

export const systemClock: Clock = { now: () => Date.now() };

const MAX_DELIVERIES = 5;
const defaultOrigin = () => 'http://127.0.0.1:8080';

const NO_FLEET: WorkerFleet = { count: async () => ({ desired: 0, running: 0 }) };

export function embeddedPorts(folder: DataFolder, options: EmbeddedOptions = {}): EmbeddedPorts {
  const { owner = String(process.pid), clock = systemClock, fleet = NO_FLEET } = options;
  const { origin = defaultOrigin } = options;
  const media = new FileMediaStore({
    ...folder,
    signingKey: folder.secrets.presignSigningKey,
    presignOrigin: () => requestOrigin() ?? origin(),
  });
  const store = new SqliteRecordStore(folder.indexFile, clock);
  const database = openQueueDatabase(folder.queuesFile);
  const bell = new QueueNotifier(folder.bells);
  const queue = (name: string, grouped: boolean, maxDeliveries: number | null) =>
    new SqliteWorkQueue({ name, database, bell, clock, owner, grouped, maxDeliveries });
  const working = (name: QueueName) => queue(name, name === 'publish', MAX_DELIVERIES);
  const dead = (name: QueueName) => queue(deadLetterName(name), name === 'publish', null);
  const queues = forEachQueue(working);
  const deadLetters = forEachQueue(dead);
  const all = [...Object.values(queues), ...Object.values(deadLetters)];
  return {
    media,
    store,
    queues,
    deadLetters,
    fleet,
    clock,
    releaseOwned: (dying) => {
      for (const each of all) each.releaseOwned(dying);
    },
    releaseAll: () => {
      for (const each of all) each.releaseAll();
    },
    close: () => {
      bell.close();
      database.close();
      store.close();
    },
  };
}

const forEachQueue = (make: (name: QueueName) => SqliteWorkQueue): EmbeddedQueues => ({
  transcode: make('transcode'),
  publish: make('publish'),
  timers: make('timers'),
  ingest: make('ingest'),
  looks: make('looks'),
});
