import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { S3MediaStore } from '../../lib/aws/s3-media-store.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import type { Write } from '../../lib/ports/ports.ts';
import { type Fault, startFaultyProxy } from './faulty-proxy.ts';
import { withMiniStack } from './ministack.ts';
import { makeBucket, makeQueue, makeTable } from './resources.ts';

const LOST: Fault = { type: 'lose-answer' };
const BROKEN: Fault = { type: 'break' };
const jsonError = (name: string, status = 400): Fault => ({
  type: 'answer',
  status,
  body: JSON.stringify({ __type: `com.amazonaws#${name}`, message: 'by the test' }),
});
const s3Error = (code: string, status: number): Fault => ({
  type: 'answer',
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>by the test</Message></Error>`,
});
const canceled = (...codes: string[]): Fault => ({
  type: 'answer',
  status: 400,
  body: JSON.stringify({
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    CancellationReasons: codes.map((Code) => ({ Code })),
  }),
});

const put = (partition: string, sort: string, expect?: number): Write => ({
  type: 'put',
  partition,
  sort,
  value: sort,
  ...(expect !== undefined && { expect }),
});

await withMiniStack(async ({ connection: direct }) => {
  const proxy = await startFaultyProxy({ after }, direct.endpoint);
  const connection = { ...direct, endpoint: proxy.endpoint };
  const clock = { now: () => Date.now() };

  const table = await makeTable(direct);
  const plain = await makeQueue(direct, { maxDeliveries: 5 });
  const fifo = await makeQueue(direct, { groups: 'ordered', maxDeliveries: 5 });
  const bucket = await makeBucket(direct, plain.deadLetterUrl);

  const media = new S3MediaStore(connection, { bucket, clock });
  const index = new DynamoRecordStore(connection, table);
  const client = sqsClient(connection);
  const queue = new SqsWorkQueue({ url: plain.url, client, clock });
  const groups = new SqsWorkQueue({ url: fifo.url, client, clock, groups: 'ordered' });
  after(() => {
    for (const open of [media, index]) open.close();
    client.destroy();
  });

  const callsOf = (call: string, mark: string) =>
    proxy.requests.filter((seen) => seen.call === call && (seen.path + seen.body).includes(mark));
  describe('when S3 fails', () => {
    test('an object is stored all the same, once and whole', async () => {
      const faults = [
        s3Error('SlowDown', 503),
        s3Error('InternalError', 500),
        BROKEN,
        s3Error('ConditionalRequestConflict', 409),
        s3Error('ConditionalRequestConflict', 409),
      ];
      const bytes = randomBytes(300_000);
      proxy.failNext('s3.PUT', ...faults);
      assert.equal(await media.put('faults/slow.bin', bytes, 'video/mp4'), 'stored');
      assert.ok(bytes.equals((await media.get('faults/slow.bin')) ?? Buffer.of()));
      assert.equal(callsOf('s3.PUT', 'faults/slow.bin').length, faults.length + 1);
      proxy.failNext('s3.PUT', LOST);
      assert.equal(await media.put('faults/lost.bin', bytes, 'video/mp4'), 'exists');
      assert.ok(bytes.equals((await media.get('faults/lost.bin')) ?? Buffer.of()));
    });

    test('an object whose bytes break off is read again; a refusal is reported', async () => {
      const bytes = randomBytes(300_000);
      await media.put('faults/cut.bin', bytes, 'video/mp4');
      proxy.failNext('s3.GET', { type: 'cut-body' }, { type: 'cut-body' });
      assert.ok(bytes.equals((await media.get('faults/cut.bin')) ?? Buffer.of()));
      proxy.failNext('s3.GET', s3Error('AccessDenied', 403));
      await assert.rejects(media.get('faults/cut.bin'), { name: 'AccessDenied' });
      assert.equal(callsOf('s3.GET', 'faults/cut.bin').length, 4);
    });

    test('what a deletion left behind is deleted again, and nothing else', async () => {
      const keys = ['faults/a.ts', 'faults/b.ts', 'faults/c.ts'];
      for (const key of keys) await media.put(key, Buffer.from(key), 'video/mp2t');
      const failure = (key: string) =>
        `<Error><Key>${key}</Key><Code>InternalError</Code><Message>by the test</Message></Error>`;
      const body = `<DeleteResult>${failure('faults/b.ts')}${failure('faults/c.ts')}</DeleteResult>`;
      proxy.failNext('s3.POST', { type: 'answer', status: 200, body });
      await media.delete(keys);
      assert.deepEqual(
        await Promise.all(keys.map(async (key) => (await media.head(key)) === undefined)),
        // The test's answer stood for the first call, so the first object was never deleted.
        [false, true, true],
      );
    });
  });

  describe('when DynamoDB fails', () => {
    test('throttles, errors and conflicts are waited out', async () => {
      const partition = randomUUID();
      const throttled = jsonError('ProvisionedThroughputExceededException');
      const conflict = jsonError('TransactionConflictException');
      proxy.failNext(
        'dynamodb.UpdateItem',
        throttled,
        jsonError('InternalServerError', 500),
        conflict,
      );
      assert.equal(await index.write([put(partition, 'one', 0)]), true);
      const both = [put(partition, 'two', 0), put(partition, 'three', 0)];
      proxy.failNext(
        'dynamodb.TransactWriteItems',
        canceled('None', 'TransactionConflict'),
        canceled('ThrottlingError', 'TransactionConflict'),
        jsonError('TransactionInProgressException'),
      );
      assert.equal(await index.write(both), true);
      assert.deepEqual(
        (await index.query(partition)).map(({ sort, version }) => [sort, version]),
        [
          ['one', 1],
          ['three', 1],
          ['two', 1],
        ],
      );
    });

    test('a write whose answer was lost counts once, and is known for one that was done', async () => {
      const partition = randomUUID();
      proxy.failNext('dynamodb.UpdateItem', LOST);
      assert.equal(await index.write([put(partition, 'a', 0)]), true, 'expected none');
      proxy.failNext('dynamodb.UpdateItem', LOST);
      assert.equal(await index.write([put(partition, 'a', 1)]), true, 'expected a version');
      proxy.failNext('dynamodb.UpdateItem', LOST);
      assert.equal(await index.write([put(partition, 'a')]), true, 'expected nothing');
      assert.equal((await index.get(partition, 'a'))?.version, 3);
      proxy.failNext('dynamodb.TransactWriteItems', LOST);
      assert.equal(await index.write([put(partition, 'a', 3), put(partition, 'b', 0)]), true);
      assert.equal((await index.get(partition, 'a'))?.version, 4);
      proxy.failNext('dynamodb.TransactWriteItems', LOST);
      const remove: Write = { type: 'delete', partition, sort: 'a', expect: 4 };
      assert.equal(await index.write([remove]), true, 'a deletion, too');
      assert.equal(await index.get(partition, 'a'), undefined);
      assert.equal(await index.write([put(partition, 'b', 0)]), false, 'another one is not ours');
    });

    test('every read asks for what was acknowledged, not for what a replica knows', async () => {
      const partition = randomUUID();
      await index.write([put(partition, 'a')]);
      await index.get(partition, 'a');
      await index.query(partition);
      const reads = ['dynamodb.GetItem', 'dynamodb.Query'].flatMap((call) =>
        callsOf(call, partition).map(({ body }) => JSON.parse(body).ConsistentRead),
      );
      assert.deepEqual(reads, [true, true]);
    });

    test('what cannot pass is said at once', async () => {
      const partition = randomUUID();
      proxy.failNext('dynamodb.TransactWriteItems', canceled('None', 'ValidationError'));
      await assert.rejects(index.write([put(partition, 'a'), put(partition, 'b')]));
      proxy.failNext('dynamodb.UpdateItem', jsonError('AccessDeniedException'));
      await assert.rejects(index.write([put(partition, 'a')]), { name: 'AccessDeniedException' });
      assert.equal(callsOf('dynamodb.TransactWriteItems', partition).length, 1);
      assert.equal(callsOf('dynamodb.UpdateItem', partition).length, 1);
    });

    test('a request without an answer is sent again', async () => {
      const partition = randomUUID();
      proxy.failNext('dynamodb.UpdateItem', { type: 'hang' });
      assert.equal(await index.write([put(partition, 'a', 0)]), true);
    });

    test('clients that were throttled together do not retry together', async () => {
      const partition = randomUUID();
      const clients = Array.from({ length: 12 }, () => new DynamoRecordStore(connection, table));
      const failed = new Set<string>();
      proxy.setFault(({ call, body }) => {
        const sort = body.match(/racer-\d+/)?.[0];
        if (call !== 'dynamodb.UpdateItem' || sort === undefined || failed.has(sort))
          return undefined;
        failed.add(sort);
        return jsonError('ThrottlingException');
      });
      await Promise.all(
        clients.map((each, racer) => each.write([put(partition, `racer-${racer}`)])),
      );
      for (const each of clients) each.close();
      const pauses = clients.map((_, racer) => {
        const [first, second] = callsOf('dynamodb.UpdateItem', `racer-${racer}"`);
        return Math.round((second?.atMs ?? 0) - (first?.atMs ?? 0));
      });
      const spreadMs = Math.max(...pauses) - Math.min(...pauses);
      assert.ok(spreadMs > 50, `all came again after ${pauses.join(', ')} ms`);
    });
  });

  describe('when SQS fails', () => {
    test('only what was not taken of a batch is sent again, and a lost answer sends no group twice', async () => {
      const mark = randomUUID();
      const failed = { Id: '1', Code: 'InternalError', SenderFault: false };
      const body = JSON.stringify({ Successful: [], Failed: [failed] });
      proxy.failNext('sqs.SendMessageBatch', jsonError('RequestThrottled', 403), {
        type: 'answer',
        status: 200,
        body,
      });
      await queue.send([0, 1, 2].map((number) => ({ body: `${mark}-${number}` })));
      const sent = callsOf('sqs.SendMessageBatch', mark).map(
        (seen) => JSON.parse(seen.body).Entries,
      );
      assert.deepEqual(
        sent.map((entries) => entries.length),
        [3, 3, 1],
      );
      const [only] = await queue.receive({ max: 10, waitMs: 5_000, leaseMs: 20_000 });
      assert.equal(only?.body, `${mark}-1`);
      proxy.failNext('sqs.DeleteMessageBatch', jsonError('InternalError', 500), BROKEN);
      await queue.acknowledge([only.receipt]);
      assert.deepEqual(await queue.depth(), { ready: 0, inFlight: 0, delayed: 0 });

      proxy.failNext('sqs.SendMessage', LOST);
      await groups.send([
        { body: 'first', group: 'g' },
        { body: 'first', group: 'g' },
      ]);
      const deliveries = await groups.receive({ max: 10, waitMs: 5_000, leaseMs: 20_000 });
      assert.equal(deliveries.length, 2);
      assert.ok(deliveries.every(({ body: text }) => text === 'first'));
    });

    test('a lease that has run out is not extended, even where SQS would', async () => {
      const late = { nowMs: Date.now(), now: () => late.nowMs };
      const own = new SqsWorkQueue({ url: plain.url, client, clock: late });
      await own.send([{ body: 'long job' }]);
      const [job] = await own.receive({ max: 1, waitMs: 5_000, leaseMs: 20_000 });
      assert.ok(job);
      late.nowMs += 15_000;
      assert.equal(await own.extend(job.receipt, 20_000), true);
      late.nowMs += 15_000;
      assert.equal(await own.extend(job.receipt, 20_000), true);
      late.nowMs += 21_000;
      assert.equal(await own.extend(job.receipt, 20_000), false);
      await own.acknowledge([job.receipt]);
    });

    test('a batch that is refused is an error', async () => {
      const refused = { Id: '0', Code: 'InvalidMessageContents', SenderFault: true };
      const body = JSON.stringify({ Successful: [], Failed: [refused] });
      proxy.failNext('sqs.SendMessageBatch', { type: 'answer', status: 200, body });
      await assert.rejects(queue.send([{ body: 'x' }]), /InvalidMessageContents/);
    });
  });

  test('in a storm of faults nothing that was acknowledged is lost', {
    timeout: 120_000,
  }, async () => {
    const storm = randomUUID();
    const faults: readonly Fault[] = [LOST, BROKEN, jsonError('InternalError', 500), LOST];
    let asked = 0;
    proxy.setFault(() => {
      asked += 1;
      // The same storm each time: about every fifth request.
      const dice = createHash('sha256').update(String(asked)).digest();
      return dice[0] !== undefined && dice[0] < 51
        ? faults[(dice[1] ?? 0) % faults.length]
        : undefined;
    });
    const digits = (number: number) => String(number).padStart(3, '0');
    const acknowledged: number[] = [];
    const upload = async (number: number): Promise<void> => {
      await media.put(`${storm}/${number}.ts`, Buffer.from(`bytes ${number}`), 'video/mp2t');
      const writes = [
        put(storm, `segment/${digits(number)}`, 0),
        put(storm, `number/${digits(number)}`),
      ];
      assert.equal(await index.write(writes), true, 'nobody else writes this item');
      await queue.send([{ body: `${storm} ${number}` }]);
      acknowledged.push(number);
    };
    const numbers = Array.from({ length: 60 }, (_, number) => number);
    const outcomes = await Promise.allSettled(numbers.map(upload));
    proxy.setFault(() => undefined);
    const failures = outcomes.filter(({ status }) => status === 'rejected');
    assert.ok(failures.length <= 3, `${failures.length} of 60 gave up`);
    const jobs = new Set<string>();
    // A job that is lost ends the test by its timeout.
    while (jobs.size < acknowledged.length) {
      const deliveries = await queue.receive({ max: 10, waitMs: 3_000, leaseMs: 60_000 });
      for (const { body } of deliveries) jobs.add(body);
      await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
    }
    for (const number of acknowledged) {
      const bytes = await media.get(`${storm}/${number}.ts`);
      assert.equal(Buffer.from(bytes ?? []).toString(), `bytes ${number}`);
      assert.equal((await index.get(storm, `segment/${digits(number)}`))?.version, 1);
      assert.ok(jobs.has(`${storm} ${number}`));
    }
  });
});
