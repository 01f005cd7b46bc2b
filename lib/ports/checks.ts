/** What every engine refuses alike: the limits of the services on AWS, so that what works here works there. */

import type { QueueMessage, Write } from './ports.ts';
import { MAX_BODY_BYTES, MAX_DELAY_MS, type QueueSpec } from './queues.ts';

/** Throws TypeError or RangeError. `queue` names it in the message. */
export function checkMessage(
  queue: string,
  groups: QueueSpec['groups'],
  { body, delayMs = 0, group }: QueueMessage,
): void {
  if ((group !== undefined) !== (groups !== undefined)) {
    throw new TypeError(`Messages of ${queue} ${group === undefined ? 'need a' : 'have no'} group`);
  }
  if (delayMs > 0 && groups === 'ordered') {
    throw new TypeError(`Messages of ${queue} are in order and cannot be delayed`);
  }
  if (delayMs < 0 || delayMs > MAX_DELAY_MS) {
    throw new RangeError(`A delay is 0 to ${MAX_DELAY_MS} ms, not ${delayMs}`);
  }
  const bodyBytes = Buffer.byteLength(body);
  if (bodyBytes === 0 || bodyBytes > MAX_BODY_BYTES) {
    throw new RangeError(`A message has 1 to ${MAX_BODY_BYTES} bytes, not ${bodyBytes}`);
  }
}

/** Of one transaction of DynamoDB. */
const MAX_WRITES = 100;

/** Throws RangeError: too many writes, or two of one item. */
export function checkWrites(writes: readonly Write[]): void {
  if (writes.length > MAX_WRITES) {
    throw new RangeError(`At most ${MAX_WRITES} writes at once, not ${writes.length}`);
  }
  const items = new Set(writes.map(({ partition, sort }) => JSON.stringify([partition, sort])));
  if (items.size < writes.length) throw new RangeError('Two writes to the same item at once');
}
