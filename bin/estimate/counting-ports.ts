/** Ports that count the requests made through them as AWS bills them. */

import type {
  MediaStore,
  Ports,
  QueueMessage,
  RecordStore,
  WorkQueue,
  Write,
} from '../../lib/ports/ports.ts';
import { forEachQueue } from '../../lib/ports/queues.ts';
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
    meter.add({ mediaPuts: 1, calls: 1 });
    return media.put(key, bytes, contentType);
  },
  async putFile(key, paths, contentType) {
    meter.add({ mediaPuts: 1, calls: 1 });
    return media.putFile(key, paths, contentType);
  },
  async get(key, range) {
    meter.add({ mediaGets: 1, calls: 1 });
    return media.get(key, range);
  },
  async head(key) {
    meter.add({ mediaGets: 1, calls: 1 });
    return media.head(key);
  },
  async list(prefix, range) {
    const keys = await media.list(prefix, range);
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
  presignPut: (key, terms) => media.presignPut(key, terms),
  // Whole files: none of the scenarios has one.
  multipart: media.multipart,
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
    const bytes = items.map(({ sort, value }) => itemBytes(partition, sort, value));
    meter.add({ readUnits: readUnits(sum(bytes)), calls: 1 });
    return items;
  },
  async write(writes) {
    if (writes.length > 0) meter.add({ writeUnits: writeUnits(writes), calls: 1 });
    const written = await store.write(writes);
    if (written) {
      const made = writes.filter((write) => write.type === 'put' && write.expect === 0);
      meter.add({ newItemBytes: sum(made.map(writeBytes)) });
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
      // The number of polls without messages depends on time, not on work.
      if (deliveries.length > 0) count(chunks(deliveries));
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

/**
 * Request units of DynamoDB's on-demand mode, for items as the AWS engine stores them: reads are
 * consistent; a write of several items, or a conditional deletion, is a transaction.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
const READ_UNIT_BYTES = 4096;
const WRITE_UNIT_BYTES = 1024;
const TRANSACTION_FACTOR = 2;

/** Names of the attributes, the version as a number, and the name of the write: a UUID. */
const FIXED_BYTES =
  'pk'.length + 'sk'.length + 'version'.length + 3 + 'value'.length + 'write'.length + 36;

export const itemBytes = (partition: string, sort: string, value: unknown): number =>
  FIXED_BYTES +
  Buffer.byteLength(partition) +
  Buffer.byteLength(sort) +
  Buffer.byteLength(JSON.stringify(value) ?? '');

/** Of one GetItem, or of one Query by the total size of its items. */
export const readUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES));

const writeBytes = (write: Write): number =>
  write.type === 'put' ? itemBytes(write.partition, write.sort, write.value) : 0;

/** Writes whose condition fails are billed as well. */
export function writeUnits(writes: readonly Write[]): number {
  const [first] = writes;
  const isTransaction =
    writes.length > 1 || (first?.type === 'delete' && first.expect !== undefined);
  const unitsOf = (write: Write) => Math.max(1, Math.ceil(writeBytes(write) / WRITE_UNIT_BYTES));
  const units = sum(writes.map(unitsOf));
  return units * (isTransaction ? TRANSACTION_FACTOR : 1);
}
