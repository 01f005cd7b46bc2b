/** Work queues on a data folder of their own, with a clock that the test sets. */

import type { TestContext } from 'node:test';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { openQueueDatabase, type QueueDatabase } from '../../lib/embedded/queue-database.ts';
import { QueueNotifier } from '../../lib/embedded/queue-notifier.ts';
import {
  SqliteWorkQueue,
  type SqliteWorkQueueOptions,
} from '../../lib/embedded/sqlite-work-queue.ts';
import type { Delivery, WorkQueue } from '../../lib/ports/ports.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const LEASE_MS = 20_000;
export const HOUR_MS = 3_600_000;

export type TestQueues = Readonly<{
  clock: { nowMs: number };
  database: QueueDatabase;
  /** As another process would open it. */
  open(options?: Partial<SqliteWorkQueueOptions>): SqliteWorkQueue;
}>;

export async function testQueues(t: TestContext): Promise<TestQueues> {
  const folder = await temporaryFolder();
  const { queuesFile, notifications } = openDataFolder(folder.path);
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z'), now: () => clock.nowMs };
  const database = openQueueDatabase(queuesFile);
  const notifier = new QueueNotifier(notifications);
  t.after(async () => {
    notifier.close();
    database.close();
    await folder.remove();
  });
  const common = { name: 'jobs', database, notifier, clock, owner: 'test' };
  return { clock, database, open: (options) => new SqliteWorkQueue({ ...common, ...options }) };
}

/** What is ready now. */
export const take = (queue: WorkQueue, max = 1): Promise<Delivery[]> =>
  queue.receive({ max, waitMs: 0, leaseMs: LEASE_MS });
