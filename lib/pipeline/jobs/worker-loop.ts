/**
 * A worker's loop: takes jobs from the queues of all classes, the most urgent first, does several at
 * once, and keeps their leases. A job whose lease is lost is aborted: another worker has it.
 *
 * The most urgent jobs have all slots to themselves: one is begun at once however many less urgent ones
 * run. When long jobs have all slots, one more job is begun, of a stream that has none here: no stream
 * waits for the long jobs of another. So a worker does up to twice as many jobs as it has slots, and one.
 */

import { backoffMs, pause } from '../../base/retry.ts';
import type { Delivery, ReceiveOptions, WorkQueue } from '../../ports/ports.ts';

export type JobRun = Readonly<{
  body: string;
  /** Aborted when the worker stops before the job is done, or has lost the job's lease. */
  signal: AbortSignal;
  /** It is of the most urgent queue. */
  isUrgent: boolean;
  /** No other job as urgent runs here, and none was taken with this one: all cores are for it. */
  exclusive: boolean;
}>;

export type WorkerLoopOptions = Readonly<{
  /** The most urgent first. */
  queues: readonly WorkQueue[];
  /** Jobs at once; so many urgent ones beside those that are less urgent. */
  concurrency: number;
  /** Throws if the job is worth another try. */
  run: (job: JobRun) => Promise<unknown>;
  report: (error: unknown, what: string) => void;
  /** For tests. */
  leaseMs?: number;
  longMs?: number;
}>;

const LEASE_MS = 20_000;
/** Of a lease: extended so often. */
const HEARTBEATS = 4;
const POLL_MS = 20_000;
/** While a worker waits for an urgent job, it polls the other queues this often: after one long poll of SQS. */
const SHORT_POLL_MS = 2_000;
/** After a job of those that is not urgent: many of them queue others, as the cutting of a file does. */
const FOLLOWING_POLL_MS = 1_000;
const FOLLOWING_MS = 10_000;
/** Segments of a stream that keeps up take less time than they play. */
const LONG_MS = 5_000;
const BACKOFF = { firstMs: 1_000, maxMs: 30_000 };
const QUEUE_FAILURE_PAUSE_MS = 1_000;

type Taken = Readonly<{ queue: WorkQueue; deliveries: readonly Delivery[] }>;
type Running = Readonly<{
  group: string;
  isUrgent: boolean;
  begunAtMs: number;
  done: Promise<void>;
}>;

/** What may be taken now. */
type Room = Readonly<{
  /** Jobs of the most urgent queue, and of the others. */
  urgent: number;
  others: number;
  signal: AbortSignal;
  /** Only of a stream that has no job here; urgent ones only where those have no slot left. */
  exceptGroups?: readonly string[];
}>;

export class WorkerLoop {
  readonly #options: Required<WorkerLoopOptions>;
  readonly #stopping = new AbortController();
  readonly #cutting = new AbortController();
  readonly #running = new Set<Running>();
  readonly #polling: Promise<void>;
  /** The last job was none of the most urgent queue, and more may wait there; workers are started for some job. */
  #isBehind = true;
  /** When the last one of those was taken. */
  #followedAtMs = Number.NEGATIVE_INFINITY;

  /** Starts at once. */
  constructor(options: WorkerLoopOptions) {
    this.#options = { leaseMs: LEASE_MS, longMs: LONG_MS, ...options };
    this.#polling = this.#poll();
  }

  /** Takes no more jobs; those that are not done after `graceMs` are given back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const timer = setTimeout(() => this.#cutting.abort(), graceMs);
    await this.#polling;
    await Promise.all([...this.#running].map(({ done }) => done));
    clearTimeout(timer);
  }

  async #poll(): Promise<void> {
    const { concurrency, report } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const free = concurrency - this.#running.size;
      const urgent = this.#freeForUrgent;
      try {
        if (free > 0) this.#beginAll(await this.#take({ urgent, others: free, signal }));
        else if (free === 0 || urgent > 0) await this.#takeBeside();
        else await this.#nextEnd();
      } catch (error) {
        report(error, 'receiving jobs');
        await pause(QUEUE_FAILURE_PAUSE_MS, signal);
      }
    }
  }

  get #freeForUrgent(): number {
    const urgent = [...this.#running].filter(({ isUrgent }) => isUrgent);
    return this.#options.concurrency - urgent.length;
  }

  /**
   * All slots are taken: waits for the end of a job, and meanwhile for urgent ones if others have some of
   * the slots. If all of the jobs are long, takes one of another stream.
   */
  async #takeBeside(): Promise<void> {
    const { concurrency, longMs } = this.#options;
    const running = [...this.#running];
    const urgent = this.#freeForUrgent;
    const ended = new AbortController();
    const end = this.#nextEnd().then(() => ended.abort());
    const signal = AbortSignal.any([this.#stopping.signal, ended.signal]);
    const youngestMs = Math.max(...running.map(({ begunAtMs }) => begunAtMs));
    const isFull = running.length === concurrency;
    const leftMs = Math.ceil(youngestMs + longMs - performance.now());
    const waitMs = isFull ? Math.max(0, leftMs) : POLL_MS;
    if (urgent > 0) {
      const taken = await this.#takeUrgent(urgent, Math.min(waitMs, POLL_MS), signal);
      if (taken.deliveries.length > 0) return this.#beginAll(taken);
      if (waitMs > POLL_MS) return;
    } else await pause(waitMs, ended.signal);
    if (ended.signal.aborted || !isFull) return;
    if (this.#stopping.signal.aborted) return end;
    const exceptGroups = running.map(({ group }) => group);
    this.#beginAll(await this.#take({ urgent, others: 1, signal, exceptGroups }));
  }

  async #nextEnd(): Promise<void> {
    await Promise.race([...this.#running].map(({ done }) => done));
  }

  /**
   * What the most urgent queue has that is not empty. Waits for the first one's next message before it asks
   * the others, so that each is asked once in that time; a job of theirs can wait for as long.
   */
  async #take({ urgent, others, signal, exceptGroups }: Room): Promise<Taken> {
    const { queues, leaseMs } = this.#options;
    const waitMs = queues.length === 1 ? POLL_MS : this.#othersWaitMs;
    const except = exceptGroups && { exceptGroups };
    const taken =
      urgent > 0
        ? await this.#takeUrgent(urgent, waitMs, signal)
        : await this.#takeUrgent(1, waitMs, signal, except);
    if (taken.deliveries.length > 0) return taken;
    for (const queue of queues.slice(1)) {
      const deliveries = await queue.receive({
        max: others,
        waitMs: 0,
        leaseMs,
        signal,
        ...except,
      });
      this.#isBehind = deliveries.length > 0;
      if (!this.#isBehind) continue;
      this.#followedAtMs = performance.now();
      return { queue, deliveries };
    }
    return taken;
  }

  get #othersWaitMs(): number {
    if (this.#isBehind) return 0;
    const isFollowing = performance.now() - this.#followedAtMs < FOLLOWING_MS;
    return isFollowing ? FOLLOWING_POLL_MS : SHORT_POLL_MS;
  }

  async #takeUrgent(
    max: number,
    waitMs: number,
    signal: AbortSignal,
    except: Pick<ReceiveOptions, 'exceptGroups'> = {},
  ): Promise<Taken> {
    const { queues, leaseMs } = this.#options;
    const [queue] = queues;
    if (!queue) throw new Error('A worker needs a queue.');
    return { queue, deliveries: await queue.receive({ max, waitMs, leaseMs, signal, ...except }) };
  }

  #beginAll({ queue, deliveries }: Taken): void {
    const isUrgent = queue === this.#options.queues[0];
    // Counted now: what ran when the loop began to wait may have ended since.
    const beside = [...this.#running].filter((job) => job.isUrgent || !isUrgent);
    const exclusive = beside.length === 0 && deliveries.length === 1;
    for (const delivery of deliveries) this.#begin(queue, delivery, { isUrgent, exclusive });
  }

  #begin(queue: WorkQueue, delivery: Delivery, how: Pick<JobRun, 'isUrgent' | 'exclusive'>): void {
    const done = this.#work(queue, delivery, how)
      .catch((error) => this.#options.report(error, 'completing a job'))
      .finally(() => this.#running.delete(running));
    const { group = '' } = delivery;
    const { isUrgent } = how;
    const running = { group, isUrgent, begunAtMs: performance.now(), done };
    this.#running.add(running);
  }

  async #work(
    queue: WorkQueue,
    delivery: Delivery,
    how: Pick<JobRun, 'isUrgent' | 'exclusive'>,
  ): Promise<void> {
    const { run, report } = this.#options;
    const { receipt, body } = delivery;
    const lease = this.#keepLease(queue, receipt);
    const signal = AbortSignal.any([this.#cutting.signal, lease.lost]);
    try {
      await run({ body, signal, ...how });
      if (!lease.lost.aborted) await queue.acknowledge([receipt]);
    } catch (error) {
      const { aborted: wasCut } = this.#cutting.signal;
      if (lease.lost.aborted) report(lease.lost.reason, body);
      else {
        if (!wasCut) report(error, body);
        await queue.release(receipt, wasCut ? 0 : backoffMs(delivery.deliveries, BACKOFF));
      }
    } finally {
      lease.end();
    }
  }

  /** `lost` is aborted when the lease has run out, or may have, because it could not be extended. */
  #keepLease(queue: WorkQueue, receipt: string): Readonly<{ lost: AbortSignal; end(): void }> {
    const { leaseMs, report } = this.#options;
    const lost = new AbortController();
    let endsAtMs = performance.now() + leaseMs;
    const extend = async (): Promise<void> => {
      const askedAtMs = performance.now();
      try {
        endsAtMs = (await queue.extend(receipt, leaseMs)) ? askedAtMs + leaseMs : askedAtMs;
      } catch (error) {
        report(error, 'extending a lease');
      }
      if (performance.now() < endsAtMs) return;
      lost.abort(new Error('The lease is lost; another worker has the job.'));
    };
    const timer = setInterval(extend, leaseMs / HEARTBEATS);
    return { lost: lost.signal, end: () => clearInterval(timer) };
  }
}
