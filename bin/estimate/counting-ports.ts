/** Ports that count the requests made through them as AWS bills them. */

import type {
  MediaStore,
  Ports,
  QueueMessage,
  RecordStore,
  WorkQueue,
} from '../../lib/ports/ports.ts';
import { forEachQueue } from '../../lib/ports/queues.ts';
import { itemBytes, readUnits, writeBytes, writeUnits } from './item-units.ts';
import type { Meter } from './meter.ts';

/** SQS sends and deletes ten messages in one request, and bills each 64 KB of it. */
const BATCH = 10;
const REQUEST_BYTES = 64 * 1024;

export function countingPorts(ports: Ports, meter: Meter): Ports {
  return {
    media: countingMedia(ports.media, meter),
    store: countingStore(ports.store, meter),
    queues: forEachQueue((name, { groups }) =>
      countingQueue(ports.queues[name], meter, groups === 'ordered'),
    ),
    fleet: ports.fleet,
    clock: ports.clock,
  };
}

export const countingMedia = (media: MediaStore, meter: Meter): MediaStore => ({
  async put(key, bytes, contentType) {
    // Billed as well when the object exists already.
    meter.add({ mediaPuts: 1, mediaPutBytes: bytes.byteLength, calls: 1 });
    return media.put(key, bytes, contentType);
  },
  async get(key, range) {
    const bytes = await media.get(key, range);
    meter.add({ mediaGets: 1, mediaGotBytes: bytes?.byteLength ?? 0, calls: 1 });
    return bytes;
  },
  async head(key) {
    meter.add({ mediaGets: 1, calls: 1 });
    return media.head(key);
  },
  async list(prefix) {
    const keys = await media.list(prefix);
    const pages = Math.max(1, Math.ceil(keys.length / 1000));
    meter.add({ mediaLists: pages, calls: pages });
    return keys;
  },
  async delete(keys) {
    // Free of charge.
    meter.add({ calls: Math.ceil(keys.length / 1000) });
    return media.delete(keys);
  },
  // Makes no request; the PUT that it allows is the encoder's.
  presignPut: (key, grant) => media.presignPut(key, grant),
});

export const countingStore = (store: RecordStore, meter: Meter): RecordStore => ({
  async get(partition, sort) {
    const item = await store.get(partition, sort);
    const bytes = item ? itemBytes(partition, sort, item.value) : 0;
    meter.add({ readUnits: readUnits(bytes), calls: 1 });
    return item;
  },
  async query(partition, range) {
    const items = await store.query(partition, range);
    const bytes = items.reduce(
      (sum, { sort, value }) => sum + itemBytes(partition, sort, value),
      0,
    );
    meter.add({ readUnits: readUnits(bytes), calls: 1 });
    return items;
  },
  async write(writes) {
    if (writes.length > 0) meter.add({ writeUnits: writeUnits(writes), calls: 1 });
    const written = await store.write(writes);
    if (written) {
      const made = writes.filter((write) => write.type === 'put' && write.expect === 0);
      meter.add({ newItemBytes: made.reduce((sum, write) => sum + writeBytes(write), 0) });
    }
    return written;
  },
});

export function countingQueue(queue: WorkQueue, meter: Meter, fifo: boolean): WorkQueue {
  const count = (requests: number): void =>
    meter.add({ [fifo ? 'fifoRequests' : 'standardRequests']: requests, calls: requests });
  return {
    async send(messages) {
      count(fifo ? sum(messages.map((message) => chunks([message]))) : sum(batches(messages)));
      return queue.send(messages);
    },
    async receive(options) {
      const deliveries = await queue.receive(options);
      if (deliveries.length === 0) meter.add({ emptyReceives: 1 });
      else count(chunks(deliveries));
      return deliveries;
    },
    async extend(receipt, leaseMs) {
      count(1);
      return queue.extend(receipt, leaseMs);
    },
    async acknowledge(receipts) {
      count(Math.ceil(receipts.length / BATCH));
      return queue.acknowledge(receipts);
    },
    async release(receipt, delayMs) {
      count(1);
      return queue.release(receipt, delayMs);
    },
    async depth() {
      count(1);
      return queue.depth();
    },
  };
}

const batches = (messages: readonly QueueMessage[]): number[] =>
  Array.from({ length: Math.ceil(messages.length / BATCH) }, (_, batch) =>
    chunks(messages.slice(batch * BATCH, (batch + 1) * BATCH)),
  );

const chunks = (messages: readonly Readonly<{ body: string }>[]): number =>
  Math.max(1, Math.ceil(sum(messages.map(({ body }) => Buffer.byteLength(body))) / REQUEST_BYTES));

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
