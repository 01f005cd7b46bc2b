/** The file behind all work queues, and what each step does to it in SQL. */

import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from './sqlite-database.ts';

/**
 * `available_at_ms` is the end of the delay or of the lease, which lasts `span_ms`: a message is ready
 * when it has passed. Only leased messages have a receipt. Moving to the dead letters is a change of
 * `queue`. `turn` is the order of a queue with fair groups; `served` has the highest turn that was
 * delivered, and which groups had it.
 */
const MIGRATIONS = [
  `CREATE TABLE IF NOT EXISTS messages (
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
  CREATE INDEX IF NOT EXISTS messages_by_owner ON messages (owner) WHERE owner IS NOT NULL`,

  // How long the old delays and leases were meant to last is not known: the longest delay at most.
  `ALTER TABLE messages ADD COLUMN span_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE messages ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_by_turn ON messages (queue, turn);
  CREATE INDEX messages_by_group_and_turn ON messages (queue, message_group, turn)
    WHERE message_group IS NOT NULL;
  CREATE TABLE served (
    queue TEXT NOT NULL,
    message_group TEXT NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (queue, message_group)
  ) WITHOUT ROWID;
  UPDATE messages SET span_ms = 15 * 60 * 1000;
  UPDATE messages SET queue = replace(queue, 'transcode', 'liveJobs'),
    message_group = json_extract(body, '$.uid'), body = json_set(body, '$.kind', 'transcode')
    WHERE queue IN ('transcode', 'transcode-dead');
  UPDATE messages SET turn = numbered.turn FROM (
    SELECT id, row_number() OVER (PARTITION BY message_group ORDER BY id) - 1 AS turn
    FROM messages WHERE queue = 'liveJobs'
  ) AS numbered WHERE messages.id = numbered.id;
  UPDATE messages SET queue = 'jobs-dead' WHERE queue = 'liveJobs-dead';
  UPDATE messages SET body = replace(body, '"settled":', '"completed":')
    WHERE queue IN ('publish', 'publish-dead');
  UPDATE messages SET queue = replace(queue, 'timers', 'delayed'),
    body = replace(body, '"type":"watch"', '"type":"housekeeping"')
    WHERE queue IN ('timers', 'timers-dead');
  UPDATE messages SET queue = replace(queue, 'ingest', 'uploadCompleted')
    WHERE queue IN ('ingest', 'ingest-dead');
  DELETE FROM messages WHERE queue IN ('looks', 'looks-dead')`,
];

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
  const durable = openDatabase(path, 'full', MIGRATIONS);
  const quick = openDatabase(path, 'normal', MIGRATIONS);
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

/**
 * Start-time fair queueing: a group's messages take turns one after the other, beginning with the turn
 * that is served now. So a message of a group that had nothing waiting is delivered next, whatever waits
 * of others, and groups that wait take turns. A group that was served in this turn has to be remembered
 * beyond its last message, or those that come back often would take every turn.
 */
const NEXT_TURN = `max(
  coalesce((SELECT max(turn) + 1 FROM messages
    WHERE queue = :queue AND message_group = :group), 0),
  coalesce((SELECT turn + 1 FROM served WHERE queue = :queue AND message_group = :group), 0),
  coalesce((SELECT max(turn) FROM served WHERE queue = :queue), 0))`;

export const STATEMENTS = {
  send: `INSERT INTO messages (queue, message_group, body, available_at_ms, span_ms)
    VALUES (:queue, :group, :body, :now + :span, :span)`,

  sendFairly: `INSERT INTO messages (queue, message_group, body, available_at_ms, span_ms, turn)
    VALUES (:queue, :group, :body, :now + :span, :span, ${NEXT_TURN})`,

  ready: `SELECT id, body, message_group, deliveries FROM messages
    WHERE queue = :queue AND available_at_ms <= :now
    ORDER BY available_at_ms, id LIMIT :max`,

  readyFairly: `SELECT id, body, message_group, deliveries FROM messages INDEXED BY messages_by_turn
    WHERE queue = :queue AND available_at_ms <= :now
    ORDER BY turn, id LIMIT :max`,

  /** `:except`: the groups that are passed over, as JSON. */
  readyFairlyExcept: `SELECT id, body, message_group, deliveries
    FROM messages INDEXED BY messages_by_turn
    WHERE queue = :queue AND available_at_ms <= :now
      AND message_group NOT IN (SELECT value FROM json_each(:except))
    ORDER BY turn, id LIMIT :max`,

  readyInOrder: `SELECT id, body, message_group, deliveries FROM messages
    WHERE queue = :queue AND available_at_ms <= :now AND ${GROUP_IS_FREE}
    ORDER BY id LIMIT :max`,

  nextAvailable: `SELECT min(available_at_ms) AS at FROM messages
    WHERE queue = :queue AND available_at_ms > :now`,

  moveToDeadLetters: `UPDATE messages
    SET queue = :dead, deliveries = 0, abandoned = 0, receipt = NULL, owner = NULL
    WHERE id = :id`,

  drop: 'DELETE FROM messages WHERE id = :id',

  lease: `UPDATE messages
    SET receipt = :receipt, owner = :owner, available_at_ms = :now + :span, span_ms = :span,
      deliveries = deliveries + 1
    WHERE id = :id`,

  serve: `INSERT INTO served (queue, message_group, turn)
    SELECT queue, message_group, turn FROM messages WHERE id = :id
    ON CONFLICT DO UPDATE SET turn = max(turn, excluded.turn)`,

  /** A turn that is over says nothing of what comes next. */
  forgetTurns: `DELETE FROM served WHERE queue = :queue
    AND turn < (SELECT max(turn) FROM served WHERE queue = :queue)`,

  extend: `UPDATE messages SET available_at_ms = :now + :span, span_ms = :span
    WHERE id = :id AND queue = :queue AND receipt = :receipt AND available_at_ms > :now`,

  acknowledge: 'DELETE FROM messages WHERE id = :id AND queue = :queue AND receipt = :receipt',

  release: `UPDATE messages
    SET available_at_ms = :now + :span, span_ms = :span, receipt = NULL, owner = NULL
    WHERE id = :id AND queue = :queue AND receipt = :receipt`,

  /** No delay or lease lasts longer than it was meant to, whatever the clock does meanwhile. */
  restartSpans: `UPDATE messages SET available_at_ms = :now + span_ms
    WHERE queue = :queue AND available_at_ms > :now AND available_at_ms > :now + span_ms`,

  /** `:owner` NULL: of all owners. A message that kills its receivers ends in the dead letters. */
  releaseOwned: `UPDATE messages
    SET available_at_ms = :now, span_ms = 0, receipt = NULL, owner = NULL,
      abandoned = abandoned + 1, deliveries = deliveries - (abandoned < ${FORGIVEN_DELIVERIES})
    WHERE queue = :queue AND owner IS NOT NULL AND (:owner IS NULL OR owner = :owner)`,

  leasesOf: `SELECT count(*) AS leases FROM messages
    WHERE queue = :queue AND owner = :owner AND available_at_ms > :now`,

  depth: `SELECT
      count(*) FILTER (WHERE available_at_ms <= :now) AS ready,
      count(*) FILTER (WHERE available_at_ms > :now AND receipt IS NOT NULL) AS inFlight,
      count(*) FILTER (WHERE available_at_ms > :now AND receipt IS NULL) AS delayed
    FROM messages WHERE queue = :queue`,
} as const;
