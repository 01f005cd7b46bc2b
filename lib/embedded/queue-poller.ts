/** Brings messages to a handler as Lambda's event source mapping for SQS does. */

import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { type Backoff, backoffMs, pause } from '../base/retry.ts';
import type { Delivery, WorkQueue } from '../ports/ports.ts';
import { type AnyHandler, invoke } from './lambda-context.ts';

export type QueuePollerOptions = Readonly<{
  name: string;
  queue: WorkQueue;
  /** May answer `{ batchItemFailures: [{ itemIdentifier }] }`; throwing fails the whole batch. */
  handler: AnyHandler<SQSEvent>;
  batchSize?: number;
  concurrentBatches?: number;
  timeoutMs?: number;
  leaseMs?: number;
  backoff?: Backoff;
  /** Failures of the handler and of the queue; the messages are tried again all the same. */
  report: (error: unknown, what: string) => void;
}>;

const DEFAULTS = {
  batchSize: 10,
  concurrentBatches: 2,
  timeoutMs: 60_000,
  leaseMs: 30_000,
  backoff: { firstMs: 500, maxMs: 60_000 },
};
const POLL_MS = 20_000;
const QUEUE_FAILURE_PAUSE_MS = 1_000;

export class QueuePoller {
  readonly #options: Required<QueuePollerOptions>;
  readonly #stopping = new AbortController();
  readonly #batches = new Set<Promise<void>>();
  readonly #polling: Promise<void>;

  /** Starts at once. */
  constructor(options: QueuePollerOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#polling = this.#poll();
  }

  /** Takes no more messages; resolves when those that were taken are completed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
    await Promise.all(this.#batches);
  }

  async #poll(): Promise<void> {
    const { queue, name, batchSize, concurrentBatches, leaseMs, report } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const batch = await queue.receive({ max: batchSize, waitMs: POLL_MS, leaseMs, signal });
        if (batch.length > 0) this.#begin(batch);
      } catch (error) {
        report(error, `receiving from ${name}`);
        await pause(QUEUE_FAILURE_PAUSE_MS, signal);
      }
      if (this.#batches.size >= concurrentBatches) await Promise.race(this.#batches);
    }
  }

  #begin(batch: readonly Delivery[]): void {
    const done = this.#handle(batch)
      .catch((error) => this.#options.report(error, `completing messages of ${this.#options.name}`))
      .finally(() => this.#batches.delete(done));
    this.#batches.add(done);
  }

  async #handle(batch: readonly Delivery[]): Promise<void> {
    const { queue, name, leaseMs } = this.#options;
    const keepAlive = setInterval(() => {
      for (const { receipt } of batch) {
        queue
          .extend(receipt, leaseMs)
          .catch((error) => this.#options.report(error, `extending leases of ${name}`));
      }
    }, leaseMs / 3);
    try {
      const failed = await this.#failures(batch);
      const done = batch.filter(({ id }) => !failed.has(id));
      await queue.acknowledge(done.map(({ receipt }) => receipt));
      for (const delivery of batch.filter(({ id }) => failed.has(id))) {
        await queue.release(
          delivery.receipt,
          backoffMs(delivery.deliveries, this.#options.backoff),
        );
      }
    } finally {
      clearInterval(keepAlive);
    }
  }

  async #failures(batch: readonly Delivery[]): Promise<ReadonlySet<string>> {
    const { name, handler, timeoutMs, report } = this.#options;
    const all = new Set(batch.map(({ id }) => id));
    try {
      const event = { Records: batch.map((delivery) => toRecord(name, delivery)) };
      const failed = failedIds(await invoke(name, handler, event, timeoutMs));
      // As on Lambda: an answer that names unknown messages fails the batch.
      return failed.every((id) => all.has(id)) ? new Set(failed) : all;
    } catch (error) {
      report(error, `handling messages of ${name}`);
      return all;
    }
  }
}

export const toRecord = (queue: string, delivery: Delivery): SQSRecord => ({
  messageId: delivery.id,
  receiptHandle: delivery.receipt,
  body: delivery.body,
  attributes: {
    ApproximateReceiveCount: String(delivery.deliveries),
    SentTimestamp: '0',
    SenderId: 'local',
    ApproximateFirstReceiveTimestamp: '0',
    ...(delivery.group !== undefined && { MessageGroupId: delivery.group }),
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: `arn:aws:sqs:local:000000000000:${queue}`,
  awsRegion: 'local',
});

/** Throws if the answer is not of the shape that the mapping takes. */
function failedIds(answer: unknown): string[] {
  if (typeof answer !== 'object' || answer === null || !('batchItemFailures' in answer)) return [];
  const failures = answer.batchItemFailures ?? [];
  if (!Array.isArray(failures)) throw new TypeError('batchItemFailures is not a list');
  return failures.map((failure: unknown) => {
    const named = typeof failure === 'object' && failure !== null && 'itemIdentifier' in failure;
    const id = named ? failure.itemIdentifier : undefined;
    if (typeof id !== 'string') throw new TypeError('A batch item failure has no itemIdentifier');
    return id;
  });
}
