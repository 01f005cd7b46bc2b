import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedKeys, uploadCompletedQueue } from '../../lib/aws/upload-completed-queue.ts';
import type { Delivery, WorkQueue } from '../../lib/ports/ports.ts';

const record = (key: string) => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  eventName: 'ObjectCreated:Put',
  s3: { bucket: { name: 'media' }, object: { key, size: 5, eTag: 'x', sequencer: '0' } },
});
const delivery = (receipt: string, body: unknown): Delivery => ({
  id: receipt,
  body: JSON.stringify(body),
  receipt,
  deliveries: 1,
});

test('keys of reports are those of the objects', () => {
  assert.deepEqual(storedKeys({ key: 'source/a/b.bin' }), ['source/a/b.bin']);
  const records = { Records: [record('source/a/granted/1.bin'), record('with+space/%C3%BC.bin')] };
  assert.deepEqual(storedKeys(records), ['source/a/granted/1.bin', 'with space/ü.bin']);
  const first = { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'media' };
  assert.deepEqual(storedKeys(first), []);
  for (const strange of [{ other: 1 }, { Records: [{ s3: {} }] }, { key: 5 }, [], 'text', null]) {
    assert.throws(() => storedKeys(strange), TypeError);
  }
});

test('each delivery names one key: none is lost with the others of its report', async () => {
  const received = [
    delivery('one', { Records: [record('a.bin')] }),
    delivery('two', { Records: [record('b.bin'), record('c.bin')] }),
    delivery('none', { Event: 's3:TestEvent' }),
  ];
  const steps: string[] = [];
  const queue: WorkQueue = {
    send: async (messages) => void steps.push(...messages.map(({ body }) => `send ${body}`)),
    receive: async () => received,
    extend: async () => true,
    acknowledge: async (receipts) => void steps.push(`acknowledge ${receipts}`),
    release: async () => {},
    depth: async () => ({ ready: 0, inFlight: 0, delayed: 0 }),
  };
  const options = { max: 10, waitMs: 0, leaseMs: 1_000 };
  assert.deepEqual(await uploadCompletedQueue(queue).receive(options), [
    delivery('one', { key: 'a.bin' }),
  ]);
  assert.ok(steps.includes('acknowledge none'));
  const sent = ['send {"key":"b.bin"}', 'send {"key":"c.bin"}', 'acknowledge two'];
  assert.deepEqual(
    steps.filter((step) => step !== 'acknowledge none'),
    sent,
    'acknowledged after they are on the queue again',
  );
});
