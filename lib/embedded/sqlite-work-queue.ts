/** A work queue on SQLite, shared by all processes that open the same data folder. */

import { randomBytes } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import type { Clock, Delivery, QueueMessage, WorkQueue } from '../pipeline/ports.ts';
import { type QueueDatabase, STATEMENTS } from './queue-database.ts';
import type { QueueNotifier } from './queue-notifier.ts';
import { transact } from './sqlite-database.ts';

export type SqliteWorkQueueOptions = Readonly<{
  name: string;
  database: QueueDatabase;
  bell: QueueNotifier;
  clock: Clock;
  /** Stamped on leases, so that those of a dead process can be found. */
  owner: string;
  /** Every message belongs to a group. */
  grouped: boolean;
  /** Deliveries before a message goes to the dead letters; null: it never does. */
  maxDeliveries: number | null;
}>;

/** Finds what no bell told of, where file watching fails. */
const FALLBACK_POLL_MS = 500;
const MAX_DELAY_MS = 15 * 60 * 1000;
/** What SQS takes, so that what works here works there. */
const MAX_BODY_BYTES = 256 * 1024;

type Row = Readonly<{ id: number; body: string; message_group: string | null }>;

export const deadLetterName = (queue: string): string => `${queue}-dead`;

export class SqliteWorkQueue implements WorkQueue {
  readonly #options: SqliteWorkQueueOptions;
  readonly #statements: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;

  constructor(options: SqliteWorkQueueOptions) {
    const { durable, quick } = options.database;
    this.#options = options;
    this.#statements = {
      send: durable.prepare(STATEMENTS.send),
      ready: quick.prepare(STATEMENTS.ready),
      readyInGroups: quick.prepare(STATEMENTS.readyInGroups),
      nextAvailable: quick.prepare(STATEMENTS.nextAvailable),
      bury: quick.prepare(STATEMENTS.bury),
      lease: quick.prepare(STATEMENTS.lease),
      extend: quick.prepare(STATEMENTS.extend),
      acknowledge: quick.prepare(STATEMENTS.acknowledge),
      release: quick.prepare(STATEMENTS.release),
      releaseOwned: quick.prepare(STATEMENTS.releaseOwned),
      leasesOf: quick.prepare(STATEMENTS.leasesOf),
      depth: quick.prepare(STATEMENTS.depth),
    };
  }

  async send(messages: readonly QueueMessage[]): Promise<void> {
    for (const message of messages) this.#check(message);
    if (messages.length === 0) return;
    const now = this.#now();
    transact(this.#options.database.durable, () => {
      for (const { body, delayMs = 0, group = null } of messages) {
        const availableAt = now + Math.ceil(delayMs);
        this.#statements.send.run({ queue: this.#name, group, body, availableAt });
      }
    });
    this.#options.bell.ring(this.#name);
  }

  async receive(
    options: Readonly<{ max: number; waitMs: number; leaseMs: number; signal?: AbortSignal }>,
  ): Promise<Delivery[]> {
    const { max, waitMs, leaseMs, signal } = options;
    const deadlineMs = performance.now() + waitMs;
    if (waitMs > 0) this.#options.bell.open();
    for (;;) {
      if (signal?.aborted) return [];
      const batch = this.#take(max, leaseMs);
      const leftMs = deadlineMs - performance.now();
      if (batch.length > 0 || leftMs <= 0) return batch;
      // Nothing can slip in between the look and the listening: both happen in one turn, and a ring
      // from another process is reported in a later one even if it came before.
      await this.#ringOrTime(Math.min(leftMs, FALLBACK_POLL_MS, this.#untilNextMs()), signal);
    }
  }

  async extend(receipt: string, leaseMs: number): Promise<boolean> {
    const now = this.#now();
    const until = now + Math.ceil(leaseMs);
    return this.#change('extend', receipt, { now, until });
  }

  async acknowledge(receipts: readonly string[]): Promise<void> {
    transact(this.#options.database.quick, () => {
      for (const receipt of receipts) this.#change('acknowledge', receipt, {});
    });
    if (this.#options.grouped) this.#options.bell.ring(this.#name);
  }

  async release(receipt: string, delayMs: number): Promise<void> {
    this.#change('release', receipt, { availableAt: this.#now() + Math.ceil(delayMs) });
    this.#options.bell.ring(this.#name);
  }

  async depth(): Promise<Readonly<{ ready: number; inFlight: number; delayed: number }>> {
    const row = this.#statements.depth.get({ queue: this.#name, now: this.#now() });
    const { ready, inFlight, delayed } = row as Record<'ready' | 'inFlight' | 'delayed', number>;
    return { ready, inFlight, delayed };
  }

  /** How many messages a process has received and not settled. */
  leasesOf(owner: string): number {
    const row = this.#statements.leasesOf.get({ queue: this.#name, owner, now: this.#now() });
    return Number(row?.leases);
  }

  /** Frees the leases of a process that died, without counting these deliveries. */
  releaseOwned(owner: string): number {
    return this.#releaseLeases(owner);
  }

  /** For a start after a crash: frees every lease, because nobody can be left who holds one. */
  releaseAll(): number {
    return this.#releaseLeases(null);
  }

  get #name(): string {
    return this.#options.name;
  }

  #now(): number {
    return Math.floor(this.#options.clock.now());
  }

  #check({ body, delayMs = 0, group }: QueueMessage): void {
    if ((group !== undefined) !== this.#options.grouped) {
      throw new TypeError(`Messages of ${this.#name} ${group ? 'have no' : 'need a'} group`);
    }
    if (delayMs > 0 && this.#options.grouped) {
      throw new TypeError(`Messages of ${this.#name} are in groups and cannot be delayed`);
    }
    if (delayMs < 0 || delayMs > MAX_DELAY_MS) {
      throw new RangeError(`A delay is 0 to ${MAX_DELAY_MS} ms, not ${delayMs}`);
    }
    const bodyBytes = Buffer.byteLength(body);
    if (bodyBytes === 0 || bodyBytes > MAX_BODY_BYTES) {
      throw new RangeError(`A message has 1 to ${MAX_BODY_BYTES} bytes, not ${bodyBytes}`);
    }
  }

  #take(max: number, leaseMs: number): Delivery[] {
    // The look needs no write lock, so idle receivers never stand in a sender's way.
    if (this.#ready(1).length === 0) return [];
    const { maxDeliveries, owner } = this.#options;
    const dead = deadLetterName(this.#name);
    const now = this.#now();
    const until = now + Math.ceil(leaseMs);
    let buried = 0;
    const batch = transact(this.#options.database.quick, () => {
      if (maxDeliveries !== null) {
        const bury = this.#statements.bury.run({ queue: this.#name, dead, now, maxDeliveries });
        buried = Number(bury.changes);
      }
      return this.#ready(max).map((row) => {
        const receipt = randomBytes(12).toString('base64url');
        const leased = this.#statements.lease.get({ id: row.id, receipt, owner, until });
        return toDelivery(row, receipt, Number(leased?.deliveries));
      });
    });
    if (buried > 0) this.#options.bell.ring(dead);
    return batch;
  }

  #ready(max: number): Row[] {
    const { ready, readyInGroups } = this.#statements;
    const statement = this.#options.grouped ? readyInGroups : ready;
    return statement.all({ queue: this.#name, now: this.#now(), max }) as Row[];
  }

  #untilNextMs(): number {
    const now = this.#now();
    const next = this.#statements.nextAvailable.get({ queue: this.#name, now });
    return typeof next?.at === 'number' ? Math.max(1, next.at - now) : Number.POSITIVE_INFINITY;
  }

  #ringOrTime(timeMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        stopListening();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, timeMs);
      const stopListening = this.#options.bell.listen(this.#name, wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  /** Does one step to the message that a receipt names; false if the receipt is of no use. */
  #change(
    step: 'extend' | 'acknowledge' | 'release',
    receipt: string,
    values: Readonly<Record<string, number>>,
  ): boolean {
    const [id, nonce] = receipt.split(':');
    if (!id || !nonce || !/^\d+$/.test(id)) return false;
    const where = { queue: this.#name, id: Number(id), receipt: nonce };
    return this.#statements[step].run({ ...values, ...where }).changes === 1;
  }

  #releaseLeases(owner: string | null): number {
    const values = { queue: this.#name, owner, now: this.#now() };
    const { changes } = this.#statements.releaseOwned.run(values);
    if (Number(changes) > 0) this.#options.bell.ring(this.#name);
    return Number(changes);
  }
}

const toDelivery = (row: Row, nonce: string, deliveries: number): Delivery => ({
  id: String(row.id),
  body: row.body,
  receipt: `${row.id}:${nonce}`,
  deliveries,
  ...(row.message_group !== null && { group: row.message_group }),
});
