/** The record store on SQLite. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { checkWrites } from '../ports/checks.ts';
import type { Clock, Item, RecordStore, SortRange, Write } from '../ports/ports.ts';
import { openDatabase, transact } from './sqlite-database.ts';
import { whereStorable } from './storage-fault.ts';

/** SQLite compares text as UTF-8 bytes, as the port asks. */
const MIGRATIONS = [
  `CREATE TABLE IF NOT EXISTS items (
  partition TEXT NOT NULL,
  sort TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,
  expires_at_ms INTEGER,
  PRIMARY KEY (partition, sort)
);
CREATE INDEX IF NOT EXISTS items_by_expiry ON items (expires_at_ms) WHERE expires_at_ms IS NOT NULL`,

  [
    ['segment/*', 'shiftTicks', 'timestampOffsetTicks'],
    ['segment/*', 'tails', 'preroll'],
    ['outcome/*', 'settledAtMs', 'completedAtMs'],
    ['head', 'healed', 'lateArrivals'],
    ['grant/*', 'grantId', 'presignId'],
  ]
    .map(
      ([sort, from, to]) =>
        `UPDATE items SET value = json_remove(json_set(value, '$.${to}', value -> '$.${from}'), '$.${from}')
        WHERE partition GLOB 'stream/*' AND sort GLOB '${sort}' AND value -> '$.${from}' IS NOT NULL;`,
    )
    .concat(
      `UPDATE items SET sort = 'lateArrivals/' || substr(sort, length('healed/') + 1)
        WHERE partition GLOB 'stream/*' AND sort GLOB 'healed/*';`,
      `UPDATE items SET sort = 'housekeeping' WHERE partition GLOB 'stream/*' AND sort = 'look';`,
    )
    .join('\n'),

  // Late arrivals lay by the sequence of their gap; now they are segments of their own.
  `INSERT INTO items (partition, sort, version, value)
    SELECT late.partition,
      printf('late/%016d/%016d', gap.value ->> '$.run', gap.value ->> '$.number'),
      1,
      json_object(
        'run', gap.value -> '$.run',
        'number', gap.value -> '$.number',
        'startTicks', coalesce(outcome.value, gap.value) -> '$.startTicks',
        'durationTicks', coalesce(outcome.value, gap.value) -> '$.durationTicks',
        'programDateTimeMs', gap.value -> '$.programDateTimeMs',
        'renditions', late.value -> '$.renditions')
    FROM items AS late
    JOIN items AS gap ON gap.partition = late.partition
      AND gap.sort = 'timeline/' || substr(late.sort, length('lateArrivals/') + 1)
    LEFT JOIN items AS outcome ON outcome.partition = late.partition
      AND outcome.sort = printf('outcome/%d/%016d', gap.value ->> '$.run', gap.value ->> '$.number')
    WHERE late.partition GLOB 'stream/*' AND late.sort GLOB 'lateArrivals/*';
  DELETE FROM items WHERE partition GLOB 'stream/*' AND sort GLOB 'lateArrivals/*'`,
];

const SWEEP_INTERVAL_MS = 30_000;
const SWEEP_ITEMS = 500;
const NO_LIMIT = -1;

type Row = Readonly<{ sort: string; version: number; value: string }>;

export class SqliteRecordStore implements RecordStore {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #get: StatementSync;
  readonly #queries: Readonly<
    Record<'open' | 'openDescending' | 'closed' | 'closedDescending', StatementSync>
  >;
  readonly #version: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #sweep: StatementSync;
  #sweepAtMs: number;

  constructor(path: string, clock: Clock) {
    const database = openDatabase(path, 'full', MIGRATIONS);
    this.#database = database;
    this.#clock = clock;
    this.#sweepAtMs = clock.now();
    this.#get = database.prepare(
      'SELECT sort, version, value FROM items WHERE partition = ? AND sort = ?',
    );
    const query = (rest: string) =>
      database.prepare(
        `SELECT sort, version, value FROM items WHERE partition = ? AND sort >= ? ${rest} LIMIT ?`,
      );
    this.#queries = {
      open: query('ORDER BY sort'),
      openDescending: query('ORDER BY sort DESC'),
      closed: query('AND sort <= ? ORDER BY sort'),
      closedDescending: query('AND sort <= ? ORDER BY sort DESC'),
    };
    this.#version = database.prepare('SELECT version FROM items WHERE partition = ? AND sort = ?');
    this.#put = database.prepare(
      `INSERT INTO items (partition, sort, version, value, expires_at_ms) VALUES (?, ?, 1, ?, ?)
       ON CONFLICT (partition, sort) DO UPDATE
       SET version = version + 1, value = excluded.value, expires_at_ms = excluded.expires_at_ms`,
    );
    this.#delete = database.prepare('DELETE FROM items WHERE partition = ? AND sort = ?');
    this.#sweep = database.prepare(
      `DELETE FROM items WHERE rowid IN
       (SELECT rowid FROM items WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?)`,
    );
  }

  async get(partition: string, sort: string): Promise<Item | undefined> {
    const row = this.#get.get(partition, sort) as Row | undefined;
    return row && toItem(row);
  }

  async query(partition: string, range: SortRange = {}): Promise<Item[]> {
    const { from = '', to, limit = NO_LIMIT, descending = false } = range;
    const rows =
      to === undefined
        ? this.#queries[descending ? 'openDescending' : 'open'].all(partition, from, limit)
        : this.#queries[descending ? 'closedDescending' : 'closed'].all(partition, from, to, limit);
    return (rows as Row[]).map(toItem);
  }

  async write(writes: readonly Write[]): Promise<boolean> {
    checkWrites(writes);
    if (writes.length === 0) return true;
    const written = transact(this.#database, () => {
      if (!writes.every((write) => this.#expectationHolds(write))) return false;
      for (const write of writes) this.#apply(write);
      return true;
    });
    this.#sweepNowAndThen();
    return written;
  }

  close(): void {
    this.#database.close();
  }

  #expectationHolds({ partition, sort, expect }: Write): boolean {
    if (expect === undefined) return true;
    const row = this.#version.get(partition, sort) as { version: number } | undefined;
    return (row?.version ?? 0) === expect;
  }

  #apply(write: Write): void {
    const { partition, sort } = write;
    if (write.type === 'delete') this.#delete.run(partition, sort);
    else this.#put.run(partition, sort, toJson(write.value), write.expiresAtMs ?? null);
  }

  #sweepNowAndThen(): void {
    const nowMs = this.#clock.now();
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + SWEEP_INTERVAL_MS;
    // The write before it is done, whatever the disk says to this one.
    whereStorable(() => {
      const { changes } = this.#sweep.run(nowMs, SWEEP_ITEMS);
      if (changes === SWEEP_ITEMS) this.#sweepAtMs = nowMs;
    });
  }
}

const toItem = (row: Row): Item => ({
  sort: row.sort,
  version: row.version,
  value: JSON.parse(row.value),
});

function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError('An item needs a value that JSON can say');
  return json;
}
