/**
 * One id for a segment's whole way, from upload to publish. It is made of what the segment is, so
 * every hop finds it in its own message, and a repeated job or a dead letter has it, too.
 */

import type { WorkQueue } from '../../lib/ports/ports.ts';

/** `videoId/uid/run/number`; without the numbers if the message is not of one segment. */
export function correlationOf(body: string): string | undefined {
  const message = parse(body);
  const { videoId, uid, completed = message } = message;
  if (typeof videoId !== 'string' || typeof uid !== 'string') return undefined;
  const { run, number } = isRecord(completed) ? completed : {};
  const isSegment = typeof run === 'number' && typeof number === 'number';
  return isSegment ? `${videoId}/${uid}/${run}/${number}` : `${videoId}/${uid}`;
}

function parse(body: string): Record<string, unknown> {
  try {
    const message: unknown = JSON.parse(body);
    return isRecord(message) ? message : {};
  } catch {
    return {};
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Ids of what an invocation has sent. A Lambda environment does one invocation at a time. */
const sent = new Set<string>();

export function takeSent(): string[] {
  const ids = [...sent];
  sent.clear();
  return ids;
}

/** The same queue; what is sent to it can be asked for with `takeSent`. */
export const noteSent = (queue: WorkQueue): WorkQueue => ({
  async send(messages) {
    await queue.send(messages);
    for (const { body } of messages) sent.add(correlationOf(body) ?? '');
    sent.delete('');
  },
  receive: (options) => queue.receive(options),
  extend: (receipt, leaseMs) => queue.extend(receipt, leaseMs),
  acknowledge: (receipts) => queue.acknowledge(receipts),
  release: (receipt, delayMs) => queue.release(receipt, delayMs),
  depth: () => queue.depth(),
});
