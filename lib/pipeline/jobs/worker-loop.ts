/** A worker's loop: takes jobs from a queue, several at once, and keeps their leases alive. */

import type { Delivery, WorkQueue } from '../ports.ts';

export type JobRun = Readonly<{
  body: string;
  /** Aborted when the worker must stop before the job is done. */
  signal: AbortSignal;
  /** No other job runs or waits: all cores are for this one. */
  alone: boolean;
}>;

export type WorkerLoopOptions = Readonly<{
  queue: WorkQueue;
  /** Jobs at once. */
  concurrency: number;
  /** Throws if the job is worth another try. */
  run: (job: JobRun) => Promise<void>;
  report: (error: unknown, what: string) => void;
}>;

const LEASE_MS = 20_000;
const HEARTBEAT_MS = 5_000;
const POLL_MS = 20_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
const QUEUE_FAILURE_PAUSE_MS = 1_000;

export class WorkerLoop {
  private readonly options: WorkerLoopOptions;
  private readonly stopping = new AbortController();
  private readonly cutting = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private readonly polling: Promise<void>;

  /** Starts at once. */
  constructor(options: WorkerLoopOptions) {
    this.options = options;
    this.polling = this.poll();
  }

  /** Takes no more jobs; those that are not done after `graceMs` are given back. */
  async stop(graceMs: number): Promise<void> {
    this.stopping.abort();
    const timer = setTimeout(() => this.cutting.abort(), graceMs);
    await this.polling;
    await Promise.all(this.running);
    clearTimeout(timer);
  }

  private async poll(): Promise<void> {
    const { queue, concurrency, report } = this.options;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const max = concurrency - this.running.size;
        const jobs = await queue.receive({ max, waitMs: POLL_MS, leaseMs: LEASE_MS, signal });
        for (const job of jobs) this.begin(job);
      } catch (error) {
        report(error, 'receiving jobs');
        await new Promise((resolve) => setTimeout(resolve, QUEUE_FAILURE_PAUSE_MS));
      }
      if (this.running.size >= concurrency) await Promise.race(this.running);
    }
  }

  private begin(delivery: Delivery): void {
    const done = this.work(delivery)
      .catch((error) => this.options.report(error, 'settling a job'))
      .finally(() => this.running.delete(done));
    this.running.add(done);
  }

  private async work(delivery: Delivery): Promise<void> {
    const { queue, run, report } = this.options;
    const { receipt, body } = delivery;
    const heartbeat = setInterval(() => {
      queue.extend(receipt, LEASE_MS).catch((error) => report(error, 'extending a lease'));
    }, HEARTBEAT_MS);
    try {
      const { ready, inFlight } = await queue.depth();
      await run({ body, signal: this.cutting.signal, alone: ready + inFlight <= 1 });
      await queue.acknowledge([receipt]);
    } catch (error) {
      const cut = this.cutting.signal.aborted;
      if (!cut) report(error, body);
      const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (delivery.deliveries - 1));
      await queue.release(receipt, cut ? 0 : backoffMs);
    } finally {
      clearInterval(heartbeat);
    }
  }
}
