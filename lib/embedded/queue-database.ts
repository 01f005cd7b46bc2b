/** The file behind all work queues, and what each step does to it in SQL. */

import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from './sqlite-database.ts';

/**
 * `available_at_ms` is the end of the delay or of the lease: a message is ready when it has passed.
 * Only leased messages have a receipt. Moving to the dead letters is a change of `queue`.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  message_group TEXT,
  body TEXT NOT NULL,
  available_at_ms INTEGER NOT NULL,
  deliveries INTEGER NOT NULL DEFAULT 0,
  abandoned INTEGER NOT NULL DEFAULT 0,
  receipt TEXT,
  owner TEXT
);
CREATE INDEX IF NOT EXISTS messages_by_time ON messages (queue, available_at_ms);
CREATE INDEX IF NOT EXISTS messages_by_group
  ON messages (queue, message_group, available_at_ms) WHERE message_group IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_by_owner ON messages (owner) WHERE owner IS NOT NULL;
`;

export type QueueDatabase = Readonly<{
  /** For sending: what was acknowledged to a sender is on disk. */
  durable: DatabaseSync;
  /**
   * For all else: after a power failure the newest of these steps may be undone, and messages are
   * then delivered once more, which receivers must bear anyway. Saves most of the fsyncs.
   */
  quick: DatabaseSync;
  close(): void;
}>;

export function openQueueDatabase(path: string): QueueDatabase {
  const durable = openDatabase(path, 'full', SCHEMA);
  const quick = openDatabase(path, 'normal', SCHEMA);
  return {
    durable,
    quick,
    close: () => {
      durable.close();
      quick.close();
    },
  };
}

/** A group waits as long as any of its messages is leased or held back. */
const GROUP_IS_FREE = `NOT EXISTS (
  SELECT 1 FROM messages AS busy
  WHERE busy.queue = :queue AND busy.message_group = messages.message_group
    AND busy.available_at_ms > :now)`;

/** At most this often is a delivery not counted because its receiver died. */
const FORGIVEN_DELIVERIES = 5;

export const STATEMENTS = {
  send: `INSERT INTO messages (queue, message_group, body, available_at_ms)
    VALUES (:queue, :group, :body, :availableAt)`,

  ready: `SELECT id, body, message_group FROM messages
    WHERE queue = :queue AND available_at_ms <= :now
    ORDER BY available_at_ms, id LIMIT :max`,

  readyInGroups: `SELECT id, body, message_group FROM messages
    WHERE queue = :queue AND available_at_ms <= :now AND ${GROUP_IS_FREE}
    ORDER BY id LIMIT :max`,

  nextAvailable: `SELECT min(available_at_ms) AS at FROM messages
    WHERE queue = :queue AND available_at_ms > :now`,

  bury: `UPDATE messages
    SET queue = :dead, deliveries = 0, abandoned = 0, receipt = NULL, owner = NULL
    WHERE queue = :queue AND available_at_ms <= :now AND deliveries >= :maxDeliveries`,

  lease: `UPDATE messages
    SET receipt = :receipt, owner = :owner, available_at_ms = :until, deliveries = deliveries + 1
    WHERE id = :id RETURNING deliveries`,

  extend: `UPDATE messages SET available_at_ms = :until
    WHERE id = :id AND queue = :queue AND receipt = :receipt AND available_at_ms > :now`,

  acknowledge: 'DELETE FROM messages WHERE id = :id AND queue = :queue AND receipt = :receipt',

  release: `UPDATE messages SET available_at_ms = :availableAt, receipt = NULL, owner = NULL
    WHERE id = :id AND queue = :queue AND receipt = :receipt`,

  /** `:owner` NULL: of all owners. A message that kills its receivers ends in the dead letters. */
  releaseOwned: `UPDATE messages
    SET available_at_ms = :now, receipt = NULL, owner = NULL, abandoned = abandoned + 1,
      deliveries = deliveries - (abandoned < ${FORGIVEN_DELIVERIES})
    WHERE queue = :queue AND owner IS NOT NULL AND (:owner IS NULL OR owner = :owner)`,

  leasesOf: `SELECT count(*) AS leases FROM messages
    WHERE queue = :queue AND owner = :owner AND available_at_ms > :now`,

  depth: `SELECT
      count(*) FILTER (WHERE available_at_ms <= :now) AS ready,
      count(*) FILTER (WHERE available_at_ms > :now AND receipt IS NOT NULL) AS inFlight,
      count(*) FILTER (WHERE available_at_ms > :now AND receipt IS NULL) AS delayed
    FROM messages WHERE queue = :queue`,
} as const;
