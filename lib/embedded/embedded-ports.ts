/** The ports on one data folder, for the engine's process and for its workers. */

import type { Clock, Ports, StaticFleet, WorkerFleet } from '../ports/ports.ts';
import {
  type DeadLetterName,
  forEachDeadLetterQueue,
  forEachQueue,
  isJobQueue,
  MAX_DELIVERIES,
  QUEUE_NAMES,
  type QueueName,
} from '../ports/queues.ts';
import type { DataFolder } from './data-folder.ts';
import { type DiskRoom, diskRoom } from './disk-room.ts';
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
  /** Left out in workers, which start no others. */
  fleet?: WorkerFleet;
  /** Where clients reach the gateway, for URLs presigned outside of a request: `http://host:port`. */
  origin?: () => string;
  /** For tests: see `SqliteWorkQueueOptions`. */
  fallbackPollMs?: number;
}>;

type EmbeddedQueues<Name extends string> = Readonly<Record<Name, SqliteWorkQueue>>;

export type EmbeddedPorts = Ports &
  Readonly<{
    media: FileMediaStore;
    store: SqliteRecordStore;
    queues: EmbeddedQueues<QueueName>;
    deadLetters: EmbeddedQueues<DeadLetterName>;
    room: DiskRoom;
    /** Jobs that a process has taken and not completed. */
    jobsOf(owner: string): number;
    /** Gives back what a process that is no more had received. */
    releaseOwned(owner: string): void;
    /** Gives back everything; for the engine's start, when no process of its last life is left. */
    releaseAll(): void;
    close(): void;
  }>;

export const systemClock: Clock = { now: () => Date.now() };

const defaultOrigin = () => 'http://127.0.0.1:8080';

const NO_FLEET: StaticFleet = {
  type: 'static',
  count: async () => ({ desired: 0, running: 0 }),
};

export function embeddedPorts(folder: DataFolder, options: EmbeddedOptions = {}): EmbeddedPorts {
  const { owner = String(process.pid), clock = systemClock, fleet = NO_FLEET } = options;
  const { origin = defaultOrigin, fallbackPollMs } = options;
  const room = diskRoom(folder.tmp);
  const media = new FileMediaStore({
    ...folder,
    signingKey: folder.secrets.presignSigningKey,
    presignOrigin: () => requestOrigin() ?? origin(),
  });
  const store = new SqliteRecordStore(folder.indexFile, clock);
  const database = openQueueDatabase(folder.queuesFile);
  const notifier = new QueueNotifier(folder.notifications);
  const common = { database, notifier, clock, owner, fallbackPollMs };
  const queues = forEachQueue(
    (name, { groups, deadLetters }) =>
      new SqliteWorkQueue({
        ...common,
        name,
        groups,
        maxDeliveries: MAX_DELIVERIES,
        deadLetters: deadLetters && deadLetterName(deadLetters),
      }),
  );
  const deadLetters = forEachDeadLetterQueue(
    (name, { groups }) => new SqliteWorkQueue({ ...common, name: deadLetterName(name), groups }),
  );
  const all = [...Object.values(queues), ...Object.values(deadLetters)];
  return {
    media,
    store,
    queues,
    deadLetters,
    fleet,
    clock,
    room,
    storageFault: async () => (await room.fault())?.message,
    jobsOf: (worker) =>
      QUEUE_NAMES.filter(isJobQueue).reduce((sum, name) => sum + queues[name].leasesOf(worker), 0),
    releaseOwned: (dying) => {
      for (const each of all) each.releaseOwned(dying);
    },
    releaseAll: () => {
      for (const each of all) each.releaseAll();
    },
    close: () => {
      notifier.close();
      database.close();
      store.close();
    },
  };
}
