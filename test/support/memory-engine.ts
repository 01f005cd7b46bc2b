/** An engine in memory, for simulations of thousands of steps: what the pipeline needs of the ports, without a disk. */

import { hashKey } from '../../lib/pipeline/auth.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { checkWrites } from '../../lib/ports/checks.ts';
import type { Item, MediaStore, RecordStore, WorkQueue, Write } from '../../lib/ports/ports.ts';
import { forEachQueue } from '../../lib/ports/queues.ts';
import { OWNER_KEY, START_MS, type TestEngine } from './engine.ts';
import { MEDIA_THREADS } from './media-threads.ts';

export function memoryEngine(): TestEngine {
  const clock = { nowMs: START_MS, now: () => clock.nowMs };
  const ports: Deps = {
    ...withRecords({ store: memoryRecords() }),
    ...MEDIA_THREADS,
    media: memoryMedia(),
    queues: forEachQueue(memoryQueue),
    fleet: { type: 'static', count: async () => ({ desired: 1, running: 1 }) },
    clock,
    ownerKeyHash: hashKey(OWNER_KEY),
  };
  return { deps: ports, records: ports.records, workFolder: '/nowhere', clock };
}

function memoryRecords(): RecordStore {
  const partitions = new Map<string, Map<string, Item>>();
  const itemsOf = (partition: string): Map<string, Item> => {
    const items = partitions.get(partition) ?? new Map<string, Item>();
    partitions.set(partition, items);
    return items;
  };
  const holds = ({ partition, sort, expect }: Write): boolean =>
    expect === undefined || expect === (itemsOf(partition).get(sort)?.version ?? 0);
  return {
    get: async (partition, sort) => itemsOf(partition).get(sort),
    async query(partition, { from = '', to = '\uffff', limit, descending = false } = {}) {
      const sorts = [...itemsOf(partition).keys()].filter((sort) => sort >= from && sort <= to);
      sorts.sort();
      if (descending) sorts.reverse();
      return sorts.slice(0, limit).flatMap((sort) => itemsOf(partition).get(sort) ?? []);
    },
    async write(writes) {
      checkWrites(writes);
      if (!writes.every(holds)) return false;
      for (const write of writes) {
        const { partition, sort } = write;
        const items = itemsOf(partition);
        const version = (items.get(sort)?.version ?? 0) + 1;
        // As it comes back from a store.
        if (write.type === 'put') {
          items.set(sort, { sort, version, value: JSON.parse(JSON.stringify(write.value)) });
        } else items.delete(sort);
      }
      return true;
    },
  };
}

const notHere = (): Promise<never> => Promise.reject(new Error('nothing is uploaded here'));

function memoryMedia(): MediaStore {
  const objects = new Map<string, Uint8Array>();
  return {
    async put(key, bytes) {
      if (objects.has(key)) return 'exists';
      objects.set(key, bytes);
      return 'stored';
    },
    async head(key) {
      const sizeBytes = objects.get(key)?.byteLength;
      return sizeBytes === undefined ? undefined : { sizeBytes, contentType: '' };
    },
    get: async (key) => objects.get(key),
    async list(prefix, range) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      const isIn = (key: string): boolean => !range || (key > range.after && key < range.before);
      return keys.filter(isIn).slice(0, range?.limit);
    },
    async delete(keys) {
      for (const key of keys) objects.delete(key);
    },
    presignPut: notHere,
    putFile: notHere,
    multipart: {
      ...{ begin: notHere, presignPart: notHere, list: notHere, complete: notHere, abort: notHere },
    },
  };
}

function memoryQueue(): WorkQueue {
  let bodies: string[] = [];
  return {
    send: async (messages) => void bodies.push(...messages.map(({ body }) => body)),
    async receive({ max }) {
      const taken = bodies.slice(0, max);
      bodies = bodies.slice(max);
      return taken.map((body) => ({ id: body, body, receipt: body, deliveries: 1 }));
    },
    extend: async () => true,
    acknowledge: async () => {},
    release: async () => {},
    depth: async () => ({ ready: bodies.length, inFlight: 0, delayed: 0 }),
  };
}
