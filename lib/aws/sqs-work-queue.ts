/**
 * A work queue on SQS: a standard one, or a FIFO one for ordered groups. Fair groups are SQS's own fair
 * queues: on a standard queue it serves a group with few messages in flight before one with many, so
 * that a stream with a backlog does not delay the others. It needs no queue a stream, and no polling.
 */

import { randomUUID } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { pause } from '../base/retry.ts';
import { checkMessage } from '../ports/checks.ts';
import type {
  Clock,
  Delivery,
  QueueDepth,
  QueueMessage,
  ReceiveOptions,
  WorkQueue,
} from '../ports/ports.ts';
import { MAX_BODY_BYTES, type QueueSpec } from '../ports/queues.ts';
import { type AwsConnection, CALL_TIMEOUTS, clientOptions } from './connection.ts';
import { errorName, retryCall } from './retry.ts';

export type SqsWorkQueueOptions = Readonly<{
  url: string;
  client: SQSClient;
  clock: Clock;
  /** `ordered`: it is a FIFO queue. */
  groups?: QueueSpec['groups'];
}>;

const MAX_BATCH = 10;
const MAX_LEASE_SECONDS = 12 * 3600;
/** After its end: its holder has noticed by then. */
const FORGET_LEASE_MS = 10 * 60_000;

/**
 * A long poll that is cut off may take a message along, which no receiver then has for a whole
 * lease. So polls are never cut but short; a worker that idles all day pays two cents a queue.
 */
const POLL_SECONDS = 2;

/** SQS's errors for receipts that are no longer, or never were, valid. */
const STALE: ReadonlySet<string> = new Set([
  'MessageNotInflight',
  'ReceiptHandleIsInvalid',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'InvalidIdFormat',
]);

/** One client serves all queues. */
export const sqsClient = (connection: AwsConnection): SQSClient =>
  new SQSClient({
    ...clientOptions(connection, CALL_TIMEOUTS),
    // The host in a queue's URL is that of AWS, or whatever an emulator takes itself for.
    ...(connection.endpoint !== undefined && { useQueueUrlAsEndpoint: false }),
  });

export class SqsWorkQueue implements WorkQueue {
  readonly #options: SqsWorkQueueOptions;
  /** When the leases end that were received here; SQS takes a late extension of some of them. */
  readonly #leases = new Map<string, number>();

  constructor(options: SqsWorkQueueOptions) {
    this.#options = options;
  }

  async send(messages: readonly QueueMessage[]): Promise<void> {
    const { url, groups } = this.#options;
    for (const message of messages) checkMessage(url, groups, message);
    if (groups === 'ordered') {
      // One after the other: a batch of which only a part is taken would lose the order.
      for (const { body, group = '' } of messages) await this.#sendGrouped(body, group);
      return;
    }
    for (const batch of batches(messages)) await this.#sendBatch(batch);
  }

  /**
   * With `exceptGroups` it receives nothing. SQS says the group of a message when it delivers it, and one
   * that is given back has lost a delivery: after some polls it would be a dead letter. What waits here
   * behind long jobs of one stream is taken by a task that is started for it, and fair queues then
   * deliver streams with few messages in flight first.
   */
  async receive(options: ReceiveOptions): Promise<Delivery[]> {
    const { max, waitMs, leaseMs, signal, exceptGroups = [] } = options;
    if (exceptGroups.length > 0) {
      await pause(waitMs, signal);
      return [];
    }
    let leftSeconds = Math.ceil(waitMs / 1000);
    do {
      if (signal?.aborted) return [];
      const pollSeconds = Math.min(leftSeconds, POLL_SECONDS);
      const deliveries = await this.#poll(max, pollSeconds, leaseMs);
      if (signal?.aborted) {
        await Promise.all(deliveries.map(({ receipt }) => this.release(receipt, 0)));
        return [];
      }
      if (deliveries.length > 0) return deliveries;
      leftSeconds -= pollSeconds;
    } while (leftSeconds > 0);
    return [];
  }

  async extend(receipt: string, leaseMs: number): Promise<boolean> {
    const endsAtMs = this.#leases.get(receipt);
    const now = this.#options.clock.now();
    if (endsAtMs !== undefined && endsAtMs <= now) return false;
    if (!(await this.#changeVisibility(receipt, leaseMs))) return false;
    this.#leases.set(receipt, now + leaseMs);
    return true;
  }

  async acknowledge(receipts: readonly string[]): Promise<void> {
    for (let start = 0; start < receipts.length; start += MAX_BATCH) {
      let left = receipts.slice(start, start + MAX_BATCH);
      await retryCall(async () => {
        left = await this.#deleteBatch(left);
        if (left.length > 0) throw new PartlyDoneError('acknowledge', left.length);
      }, isPartlyDone);
    }
  }

  async release(receipt: string, delayMs: number): Promise<void> {
    await this.#changeVisibility(receipt, delayMs);
    this.#leases.delete(receipt);
  }

  /** Approximate: exact when the queue has been quiet for a minute. */
  async depth(): Promise<QueueDepth> {
    const { url: QueueUrl, client } = this.#options;
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    );
    return {
      ready: Number(Attributes?.ApproximateNumberOfMessages),
      inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
      delayed: Number(Attributes?.ApproximateNumberOfMessagesDelayed),
    };
  }

  async #sendGrouped(body: string, group: string): Promise<void> {
    const { url: QueueUrl, client } = this.#options;
    const command = new SendMessageCommand({
      QueueUrl,
      MessageBody: body,
      MessageGroupId: group,
      // Of this send: equal texts are messages of their own, the SDK's retries are not.
      MessageDeduplicationId: randomUUID(),
    });
    await client.send(command);
  }

  async #sendBatch(batch: readonly QueueMessage[]): Promise<void> {
    const { url: QueueUrl, client } = this.#options;
    let left = batch.map(({ body, delayMs = 0, group }, index) => ({
      Id: String(index),
      MessageBody: body,
      DelaySeconds: Math.ceil(delayMs / 1000),
      ...(group !== undefined && { MessageGroupId: group }),
    }));
    await retryCall(async () => {
      const command = new SendMessageBatchCommand({ QueueUrl, Entries: left });
      const { Failed = [] } = await client.send(command);
      const refused = Failed.find(({ SenderFault }) => SenderFault);
      if (refused) throw new Error(`SQS refused a message: ${refused.Code} ${refused.Message}`);
      const failed = new Set(Failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => failed.has(Id));
      if (left.length > 0) throw new PartlyDoneError('send', left.length);
    }, isPartlyDone);
  }

  async #poll(max: number, waitSeconds: number, leaseMs: number): Promise<Delivery[]> {
    const { url: QueueUrl, client, clock } = this.#options;
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: Math.min(max, MAX_BATCH),
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: leaseSeconds(leaseMs),
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'MessageGroupId'],
    });
    const { Messages = [] } = await client.send(command);
    const now = clock.now();
    for (const [receipt, endsAtMs] of this.#leases) {
      if (endsAtMs < now - FORGET_LEASE_MS) this.#leases.delete(receipt);
    }
    const deliveries = Messages.map(toDelivery);
    for (const { receipt } of deliveries) this.#leases.set(receipt, now + leaseMs);
    return deliveries;
  }

  /** false if the receipt is stale. */
  async #changeVisibility(receipt: string, timeMs: number): Promise<boolean> {
    const { url: QueueUrl, client } = this.#options;
    const change = { ReceiptHandle: receipt, VisibilityTimeout: leaseSeconds(timeMs) };
    try {
      await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ...change }));
      return true;
    } catch (error) {
      if (STALE.has(errorName(error))) return false;
      throw error;
    }
  }

  /** Those that are worth another try; stale ones have nothing left to delete. */
  async #deleteBatch(receipts: readonly string[]): Promise<string[]> {
    const { url: QueueUrl, client } = this.#options;
    const Entries = receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
    const { Failed = [] } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    for (const receipt of receipts) this.#leases.delete(receipt);
    return Failed.filter(({ SenderFault }) => !SenderFault).flatMap(
      ({ Id }) => receipts[Number(Id)] ?? [],
    );
  }
}

class PartlyDoneError extends Error {
  constructor(what: string, left: number) {
    super(`SQS did not ${what} ${left} messages`);
    this.name = 'PartlyDoneError';
  }
}

const isPartlyDone = (error: unknown): boolean => error instanceof PartlyDoneError;

const leaseSeconds = (timeMs: number): number =>
  Math.min(MAX_LEASE_SECONDS, Math.ceil(timeMs / 1000));

function toDelivery(message: Message): Delivery {
  const { MessageId = '', Body = '', ReceiptHandle = '', Attributes = {} } = message;
  return {
    id: MessageId,
    body: Body,
    receipt: ReceiptHandle,
    deliveries: Number(Attributes.ApproximateReceiveCount),
    ...(Attributes.MessageGroupId !== undefined && { group: Attributes.MessageGroupId }),
  };
}

function* batches(messages: readonly QueueMessage[]): Generator<QueueMessage[]> {
  let batch: QueueMessage[] = [];
  let sizeBytes = 0;
  for (const message of messages) {
    const bodyBytes = Buffer.byteLength(message.body);
    if (batch.length === MAX_BATCH || sizeBytes + bodyBytes > MAX_BODY_BYTES) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(message);
    sizeBytes += bodyBytes;
  }
  if (batch.length > 0) yield batch;
}
