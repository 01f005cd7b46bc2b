/** The queue of completed uploads on AWS: S3 itself reports objects there, in its own format. */

import type { Delivery, WorkQueue } from '../ports/ports.ts';

/** How keys of presigned uploads end, and no others: what S3 is to report. */
export const REPORTED_SUFFIX = '.bin';

type Message = Readonly<{
  key?: unknown;
  Event?: unknown;
  Records?: readonly Readonly<{ s3: Readonly<{ object: Readonly<{ key: string }> }> }>[];
}>;

/** The keys that one message reports, in S3's format or in ours. Throws TypeError on any other message. */
export function storedKeys(message: unknown): string[] {
  const { key, Event, Records } = message as Message;
  if (typeof key === 'string') return [key];
  // Sent once when the notification is set up.
  if (Event === 's3:TestEvent') return [];
  if (!Records) throw new TypeError(`This is no report of an object: ${JSON.stringify(message)}`);
  return Records.map(({ s3 }) => decodeKey(s3.object.key));
}

/** As in a form: spaces are plus signs. */
const decodeKey = (key: string): string => decodeURIComponent(key.replaceAll('+', ' '));

/** Receives `{ key }`, as the pipeline expects it, in whichever format it was sent. */
export const uploadCompletedQueue = (queue: WorkQueue): WorkQueue => ({
  send: (messages) => queue.send(messages),
  async receive(options) {
    const received = await queue.receive(options);
    const deliveries = await Promise.all(received.map((delivery) => translate(queue, delivery)));
    return deliveries.flatMap((delivery) => delivery ?? []);
  },
  extend: (receipt, leaseMs) => queue.extend(receipt, leaseMs),
  acknowledge: (receipts) => queue.acknowledge(receipts),
  release: (receipt, delayMs) => queue.release(receipt, delayMs),
  depth: () => queue.depth(),
});

async function translate(queue: WorkQueue, delivery: Delivery): Promise<Delivery | undefined> {
  const [key, ...more] = storedKeys(JSON.parse(delivery.body));
  const bodyOf = (each: string): string => JSON.stringify({ key: each });
  if (key !== undefined && more.length === 0) return { ...delivery, body: bodyOf(key) };
  // One message is acknowledged as a whole, so several keys become messages of their own.
  if (key !== undefined) await queue.send([key, ...more].map((each) => ({ body: bodyOf(each) })));
  await queue.acknowledge([delivery.receipt]);
  return undefined;
}
