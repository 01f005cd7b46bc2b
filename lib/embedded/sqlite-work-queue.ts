/** A work queue on SQLite, shared by all processes that open the same data folder. */

import { randomBytes } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import { checkMessage } from '../ports/checks.ts';
import type { Clock, Delivery, QueueMessage, ReceiveOptions, WorkQueue } from '../ports/ports.ts';
import type { QueueSpec } from '../ports/queues.ts';
import { type QueueDatabase, STATEMENTS } from './queue-database.ts';
import type { QueueNotifier } from './queue-notifier.ts';
import { transact } from './sqlite-database.ts';
import { storingSync, whereStorable } from './storage-fault.ts';

export type SqliteWorkQueueOptions = Readonly<{
  name: string;
  database: QueueDatabase;
  notifier: QueueNotifier;
  clock: Clock;
  /** Stamped on leases, so that those of a dead process can be found. */
  owner: string;
  /** Absent: messages have no group. */
  groups?: QueueSpec['groups'];
  /** Deliveries before a message goes to the dead letters; absent: any number. */
  maxDeliveries?: number;
  /** Name of their queue; absent: a message that was delivered so often is dropped. */
  deadLetters?: string | undefined;
  /** How often a waiting receiver polls for what no notification reported, where file watching fails. */
  fallbackPollMs?: number | undefined;
}>;

const FALLBACK_POLL_MS = 500;

type Row = Readonly<{
  id: number;
  body: string;
  message_group: string | null;
  /** Before this one. */
  deliveries: number;
}>;

export const deadLetterName = (queue: string): string => `${queue}-dead`;

export class SqliteWorkQueue implements WorkQueue {
  readonly #options: SqliteWorkQueueOptions;
  readonly #statements: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
  #lastNowMs: number;

  constructor(options: SqliteWorkQueueOptions) {
    const { durable, quick } = options.database;
    this.#options = options;
    const prepared = Object.entries(STATEMENTS).map(([step, sql]) => [
      step,
      (step.startsWith('send') ? durable : quick).prepare(sql),
    ]);
    this.#statements = Object.fromEntries(prepared);
    this.#lastNowMs = this.#now();
    whereStorable(() => this.#restartSpans(this.#now()));
  }

  async send(messages: readonly QueueMessage[]): Promise<void> {
    for (const message of messages) checkMessage(this.#name, this.#options.groups, message);
    if (messages.length === 0) return;
    const { send, sendFairly } = this.#statements;
    const statement = this.#options.groups === 'fair' ? sendFairly : send;
    const now = this.#now();
    transact(this.#options.database.durable, () => {
      for (const { body, delayMs = 0, group = null } of messages) {
        statement.run({ queue: this.#name, group, body, now, span: Math.ceil(delayMs) });
      }
    });
    this.#options.notifier.notify(this.#name);
  }

  async receive(options: ReceiveOptions): Promise<Delivery[]> {
    const { waitMs, signal } = options;
    const { fallbackPollMs = FALLBACK_POLL_MS } = this.#options;
    const deadlineMs = performance.now() + waitMs;
    if (waitMs > 0) this.#options.notifier.open();
    for (;;) {
      if (signal?.aborted) return [];
      const now = this.#now();
      const batch = this.#take(options, now);
      const leftMs = deadlineMs - performance.now();
      if (batch.length > 0 || leftMs <= 0) return batch;
      // Nothing can slip in between the query and the listening: both happen in one turn, and a
      // notification of another process is reported in a later one even if it came before.
      const pauseMs = Math.min(leftMs, fallbackPollMs, this.#untilNextMs(now));
      await this.#notificationOrTime(pauseMs, signal);
    }
  }

  async extend(receipt: string, leaseMs: number): Promise<boolean> {
    return this.#change('extend', receipt, { now: this.#now(), span: Math.ceil(leaseMs) });
  }

  async acknowledge(receipts: readonly string[]): Promise<void> {
    transact(this.#options.database.quick, () => {
      for (const receipt of receipts) this.#change('acknowledge', receipt, {});
    });
    if (this.#options.groups === 'ordered') this.#options.notifier.notify(this.#name);
  }

  async release(receipt: string, delayMs: number): Promise<void> {
    this.#change('release', receipt, { now: this.#now(), span: Math.ceil(delayMs) });
    this.#options.notifier.notify(this.#name);
  }

  async depth(): Promise<Readonly<{ ready: number; inFlight: number; delayed: number }>> {
    const row = this.#statements.depth.get({ queue: this.#name, now: this.#now() });
    const { ready, inFlight, delayed } = row as Record<'ready' | 'inFlight' | 'delayed', number>;
    return { ready, inFlight, delayed };
  }

  /** Messages that a process has received and not completed. */
  leasesOf(owner: string): number {
    const row = this.#statements.leasesOf.get({ queue: this.#name, owner, now: this.#now() });
    return Number(row?.leases);
  }

  /** Frees the leases of a process that died, without counting these deliveries. */
  releaseOwned(owner: string): number {
    return this.#releaseLeases(owner);
  }

  /** For a start after a crash: frees every lease, as no process can be left that holds one. */
  releaseAll(): number {
    return this.#releaseLeases(null);
  }

  get #name(): string {
    return this.#options.name;
  }

  #now(): number {
    return Math.floor(this.#options.clock.now());
  }

  #take({ max, leaseMs, exceptGroups }: ReceiveOptions, now: number): Delivery[] {
    this.#followClock(now);
    // The query needs no write lock, so idle receivers never stand in a sender's way.
    if (this.#ready(1, now, exceptGroups).length === 0) return [];
    const { deadLetters, owner, groups, database, notifier } = this.#options;
    const { lease, serve, forgetTurns } = this.#statements;
    const span = Math.ceil(leaseMs);
    let isAnyDead = false;
    const batch = transact(database.quick, () => {
      let rows = this.#ready(max, now, exceptGroups);
      while (this.#removeExhausted(rows)) {
        isAnyDead = true;
        rows = this.#ready(max, now, exceptGroups);
      }
      const deliveries = rows.map((row) => {
        const receipt = randomBytes(12).toString('base64url');
        lease.run({ id: row.id, receipt, owner, now, span });
        if (groups === 'fair') serve.run({ id: row.id });
        return toDelivery(row, receipt);
      });
      if (groups === 'fair') forgetTurns.run({ queue: this.#name });
      return deliveries;
    });
    if (isAnyDead && deadLetters !== undefined) notifier.notify(deadLetters);
    return batch;
  }

  /** false if none of these messages had its last delivery. */
  #removeExhausted(rows: readonly Row[]): boolean {
    const { maxDeliveries = Number.POSITIVE_INFINITY, deadLetters } = this.#options;
    const exhausted = rows.filter(({ deliveries }) => deliveries >= maxDeliveries);
    for (const { id } of exhausted) {
      if (deadLetters === undefined) this.#statements.drop.run({ id });
      else this.#statements.moveToDeadLetters.run({ id, dead: deadLetters });
    }
    return exhausted.length > 0;
  }

  /** A clock that was set back would hold messages for as long as it had been ahead. */
  #followClock(now: number): void {
    if (now < this.#lastNowMs) this.#restartSpans(now);
    this.#lastNowMs = now;
  }

  #restartSpans(now: number): void {
    const values = { queue: this.#name, now };
    storingSync(() => this.#statements.restartSpans.run(values));
  }

  #ready(max: number, now: number, exceptGroups: readonly string[] = []): Row[] {
    const { ready, readyFairly, readyFairlyExcept, readyInOrder } = this.#statements;
    const { groups } = this.#options;
    if (exceptGroups.length > 0) {
      const except = JSON.stringify(exceptGroups);
      const values = { queue: this.#name, now, max, except };
      return readyFairlyExcept.all(values) as Row[];
    }
    const statement = groups === 'ordered' ? readyInOrder : groups === 'fair' ? readyFairly : ready;
    return statement.all({ queue: this.#name, now, max }) as Row[];
  }

  /** `now`: when it was found that none is ready, or a message of just then would not be waited for. */
  #untilNextMs(now: number): number {
    const next = this.#statements.nextAvailable.get({ queue: this.#name, now });
    return typeof next?.at === 'number' ? Math.max(1, next.at - now) : Number.POSITIVE_INFINITY;
  }

  #notificationOrTime(timeMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        stopListening();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, timeMs);
      const stopListening = this.#options.notifier.listen(this.#name, wake);
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
    return storingSync(() => this.#statements[step].run({ ...values, ...where })).changes === 1;
  }

  #releaseLeases(owner: string | null): number {
    const values = { queue: this.#name, owner, now: this.#now() };
    const { changes } = storingSync(() => this.#statements.releaseOwned.run(values));
    if (Number(changes) > 0) this.#options.notifier.notify(this.#name);
    return Number(changes);
  }
}

const toDelivery = (row: Row, nonce: string): Delivery => ({
  id: String(row.id),
  body: row.body,
  receipt: `${row.id}:${nonce}`,
  deliveries: row.deliveries + 1,
  ...(row.message_group !== null && { group: row.message_group }),
});
