import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { EMPTY_TIMELINE } from '../../lib/domain/timeline.ts';
import { type DataFolder, openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { transcode } from '../../lib/pipeline/jobs/transcode.ts';
import { delayedMessage, publishRequest } from '../../lib/pipeline/message-schemas.ts';
import type { Delivery, WorkQueue } from '../../lib/ports/ports.ts';
import { temporaryFolder } from './temporary-folder.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const CLOCK = { now: () => NOW_MS };
const LEASE_MS = 20_000;

/** The first version, which had no number yet. */
const OLD_QUEUES = `
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  message_group TEXT,
  body TEXT NOT NULL,
  available_at_ms INTEGER NOT NULL,
  deliveries INTEGER NOT NULL DEFAULT 0,
  abandoned INTEGER NOT NULL DEFAULT 0,
  receipt TEXT,
  owner TEXT
);
CREATE INDEX messages_by_time ON messages (queue, available_at_ms);
CREATE INDEX messages_by_group
  ON messages (queue, message_group, available_at_ms) WHERE message_group IS NOT NULL;
CREATE INDEX messages_by_owner ON messages (owner) WHERE owner IS NOT NULL`;

const OLD_INDEX = `
CREATE TABLE items (
  partition TEXT NOT NULL,
  sort TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,
  expires_at_ms INTEGER,
  PRIMARY KEY (partition, sort)
);
CREATE INDEX items_by_expiry ON items (expires_at_ms) WHERE expires_at_ms IS NOT NULL`;

type OldMessage = Readonly<{
  queue: string;
  body: unknown;
  group?: string;
  availableAtMs?: number;
  deliveries?: number;
  owner?: string;
}>;

async function setUp(t: TestContext): Promise<DataFolder> {
  const folder = await temporaryFolder();
  t.after(() => folder.remove());
  return openDataFolder(folder.path);
}

function writeOldMessages({ queuesFile }: DataFolder, messages: readonly OldMessage[]): void {
  const database = new DatabaseSync(queuesFile);
  database.exec(`PRAGMA journal_mode = WAL; ${OLD_QUEUES}`);
  const insert = database.prepare(
    `INSERT INTO messages (queue, message_group, body, available_at_ms, deliveries, receipt, owner)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { queue, body, group, availableAtMs = NOW_MS, deliveries = 0, owner } of messages) {
    const receipt = owner ? 'receipt' : null;
    const text = JSON.stringify(body);
    insert.run(queue, group ?? null, text, availableAtMs, deliveries, receipt, owner ?? null);
  }
  database.close();
}

type OldItem = readonly [partition: string, sort: string, value: unknown];

function writeOldItems({ indexFile }: DataFolder, items: readonly OldItem[]): void {
  const database = new DatabaseSync(indexFile);
  database.exec(`PRAGMA journal_mode = WAL; ${OLD_INDEX}`);
  const insert = database.prepare(
    'INSERT INTO items (partition, sort, version, value) VALUES (?, ?, 3, ?)',
  );
  for (const [partition, sort, value] of items) insert.run(partition, sort, JSON.stringify(value));
  database.close();
}

function open(t: TestContext, data: DataFolder) {
  const ports = embeddedPorts(data, { clock: CLOCK });
  t.after(() => ports.close());
  return ports;
}

const takeAll = (queue: WorkQueue): Promise<Delivery[]> =>
  queue.receive({ max: 100, waitMs: 0, leaseMs: LEASE_MS });

const contents = async (queue: WorkQueue): Promise<unknown[]> =>
  (await takeAll(queue)).map(({ body, group }) => ({
    ...JSON.parse(body),
    ...(group && { group }),
  }));

const versionOf = (path: string): unknown => {
  const database = new DatabaseSync(path);
  const version = database.prepare('PRAGMA user_version').get()?.user_version;
  database.close();
  return version;
};

const job = (uid: string, number: number) => ({ videoId: `show-${uid}`, uid, run: 1, number });
const stream = { videoId: 'show', uid: 'u1' };

describe('queues that the first version wrote', () => {
  test('jobs are on the queue of live jobs, with their kind and group, and can be run', async (t) => {
    const data = await setUp(t);
    writeOldMessages(data, [
      { queue: 'transcode', body: job('u1', 0) },
      { queue: 'transcode-dead', body: job('u1', 9) },
    ]);
    const { queues, deadLetters } = open(t, data);
    const expected = (number: number) => ({ kind: 'transcode', ...job('u1', number), group: 'u1' });
    const [live] = await takeAll(queues.liveJobs);
    assert.deepEqual(live && { ...JSON.parse(live.body), group: live.group }, expected(0));
    assert.deepEqual(await contents(deadLetters.jobs), [expected(9)]);
    const { kind, ...body } = JSON.parse(live?.body ?? '');
    assert.equal(kind, transcode.name);
    assert.deepEqual(transcode.schema.parse(body), job('u1', 0));
    // Of a stream that is not there: the job is recognized, and has nothing to do.
    const context = { workFolder: data.tmp, signal: AbortSignal.timeout(60_000) };
    const deps = { ...withRecords(open(t, data)) };
    assert.equal(await JOBS.run(deps, live?.body ?? '', context), 'obsolete');
  });

  test('jobs take turns by stream, and a newcomer comes after one of them', async (t) => {
    const data = await setUp(t);
    writeOldMessages(data, [
      ...[0, 1, 2, 3].map((number) => ({ queue: 'transcode', body: job('a', number) })),
      ...[0, 1].map((number) => ({ queue: 'transcode', body: job('b', number) })),
    ]);
    const { queues } = open(t, data);
    const take = async () => {
      const [one] = await queues.liveJobs.receive({ max: 1, waitMs: 0, leaseMs: LEASE_MS });
      const { uid, number } = JSON.parse(one?.body ?? '');
      return `${uid}${number}`;
    };
    assert.equal(await take(), 'a0');
    await queues.liveJobs.send([{ body: JSON.stringify(job('new', 0)), group: 'new' }]);
    const order = [await take(), await take(), await take(), await take()];
    assert.deepEqual(order, ['b0', 'new0', 'a1', 'b1']);
  });

  test('requests to publish keep their order and name what was completed', async (t) => {
    const data = await setUp(t);
    const settled = (number: number) => ({ ...stream, settled: { run: 1, number } });
    writeOldMessages(data, [
      { queue: 'publish', body: settled(1), group: 'u1' },
      { queue: 'publish', body: stream, group: 'u1' },
      { queue: 'publish-dead', body: settled(0), group: 'u1' },
    ]);
    const { queues, deadLetters } = open(t, data);
    const deliveries = await takeAll(queues.publish);
    const requests = deliveries.map(({ body }) => publishRequest.parse(JSON.parse(body)));
    assert.deepEqual(requests, [{ ...stream, completed: { run: 1, number: 1 } }, stream]);
    assert.ok(deliveries.every(({ group }) => group === 'u1'));
    const [dead] = await contents(deadLetters.publish);
    assert.deepEqual(dead, { ...stream, completed: { run: 1, number: 0 }, group: 'u1' });
  });

  test('timers are delayed messages, due when they were', async (t) => {
    const data = await setUp(t);
    const inAMinute = NOW_MS + 60_000;
    writeOldMessages(data, [
      { queue: 'timers', body: { type: 'watch', ...stream } },
      { queue: 'timers', body: { type: 'publish', ...stream }, availableAtMs: inAMinute },
      { queue: 'timers-dead', body: { type: 'watch', ...stream } },
    ]);
    const clock = { nowMs: NOW_MS, now: () => clock.nowMs };
    const ports = embeddedPorts(data, { clock });
    t.after(() => ports.close());
    const { delayed } = ports.queues;
    const housekeeping = delayedMessage.parse({ type: 'housekeeping', ...stream });
    assert.deepEqual(await contents(delayed), [housekeeping]);
    assert.deepEqual(await contents(ports.deadLetters.delayed), [housekeeping]);
    assert.equal((await delayed.depth()).delayed, 1);
    clock.nowMs = inAMinute;
    const due = await takeAll(delayed);
    assert.ok(due.some(({ body }) => JSON.parse(body).type === 'publish'));
  });

  test('reports of uploads are on their queue; requests for a look are gone', async (t) => {
    const data = await setUp(t);
    writeOldMessages(data, [
      { queue: 'ingest', body: { key: 'source/show/u1/granted/a.bin' } },
      { queue: 'ingest-dead', body: { key: 'source/show/u1/granted/b.bin' } },
      { queue: 'looks', body: { hasNewJob: true } },
      { queue: 'looks-dead', body: {} },
    ]);
    const { queues, deadLetters } = open(t, data);
    assert.deepEqual(await contents(queues.uploadCompleted), [
      { key: 'source/show/u1/granted/a.bin' },
    ]);
    assert.deepEqual(await contents(deadLetters.uploadCompleted), [
      { key: 'source/show/u1/granted/b.bin' },
    ]);
    const database = new DatabaseSync(data.queuesFile);
    const left = database
      .prepare(
        "SELECT body FROM messages WHERE queue NOT IN ('uploadCompleted', 'uploadCompleted-dead')",
      )
      .all();
    database.close();
    assert.deepEqual(left, []);
  });

  test('leases of the process that died are freed, and deliveries count on', async (t) => {
    const data = await setUp(t);
    const availableAtMs = NOW_MS + LEASE_MS;
    const held = { deliveries: 2, owner: '4711', availableAtMs };
    writeOldMessages(data, [{ queue: 'transcode', body: job('u1', 0), ...held }]);
    const ports = open(t, data);
    assert.deepEqual(await takeAll(ports.queues.liveJobs), []);
    ports.releaseAll();
    const [again] = await takeAll(ports.queues.liveJobs);
    assert.equal(again?.deliveries, 2, 'the delivery to the dead process does not count');
  });

  test('are of the new version from then on, and opened again without a change', async (t) => {
    const data = await setUp(t);
    writeOldMessages(data, [{ queue: 'transcode', body: job('u1', 0) }]);
    open(t, data);
    assert.equal(versionOf(data.queuesFile), 2);
    assert.equal(versionOf(data.indexFile), 3);
    const { queues } = open(t, data);
    assert.deepEqual(await queues.liveJobs.depth(), { ready: 1, inFlight: 0, delayed: 0 });
  });
});

describe('records that the first version wrote', () => {
  const partition = 'stream/show/u1';
  const facts = { container: 'ts', audio: [], startTicks: 0, endTicks: 180_000 };
  const segment = { run: 1, number: 5, digest: 'd', sizeBytes: 10, sourceKey: 'k', facts };
  const packets = ['c2hpZnRUaWNrcw=='];
  const rung = { key: 'media/k', initKey: 'media/i', sizeBytes: 4 };
  // Names of renditions are the owner's, and may be those of fields.
  const renditions = { healed: rung, settledAtMs: rung };

  test('have the new names of fields, and no field is lost', async (t) => {
    const data = await setUp(t);
    const head = { nextSequence: 3, run: 1, renditions: { healed: { sizeBytes: 4 } } };
    const outcome = { run: 1, number: 5, startTicks: 0, durationTicks: 180_000, renditions };
    const gap = { run: 1, number: 5, startTicks: 0, durationTicks: 90_000, programDateTimeMs: 9 };
    const failed = { type: 'failed', run: 1, number: 6, reason: '"settledAtMs":' };
    const grant = { number: 7, digest: 'd', sizeBytes: 10, pushed: false };
    writeOldItems(data, [
      [
        partition,
        'segment/1/0000000000000005',
        { ...segment, tails: [{ track: 0, packets }], shiftTicks: -3.5, uploadedAtMs: 1 },
      ],
      [
        partition,
        'outcome/1/0000000000000005',
        { type: 'rendered', ...outcome, uploadedAtMs: 1, settledAtMs: 2 },
      ],
      [partition, 'outcome/1/0000000000000006', { ...failed, settledAtMs: 3 }],
      [partition, 'head', { ...head, healed: 2 }],
      [partition, 'healed/0000000000000001', { sequence: 1, renditions }],
      [partition, 'timeline/0000000000000001', { ...gap, sequence: 1, renditions: {} }],
      [partition, 'grant/abc', { grantId: 'abc', ...grant }],
      [partition, 'look', { atMs: 17 }],
    ]);
    const { records } = withRecords(open(t, data));
    const stream = { videoId: 'show', uid: 'u1' };
    assert.deepEqual(await records.findSegment(stream, 1, 5), {
      ...segment,
      preroll: [{ track: 0, packets }],
      timestampOffsetTicks: -3.5,
      uploadedAtMs: 1,
    });
    assert.deepEqual(await records.outcomesFrom(stream, 1, 0, 10), [
      { type: 'rendered', ...outcome, uploadedAtMs: 1, completedAtMs: 2 },
      { ...failed, completedAtMs: 3 },
    ]);
    assert.deepEqual(await records.timeline(stream), {
      value: { ...EMPTY_TIMELINE, ...head, lateArrivals: 2 },
      version: 3,
    });
    assert.deepEqual(await records.lateArrivals(stream), [
      { ...gap, durationTicks: outcome.durationTicks, renditions },
    ]);
    const presigned = await records.findPresigned(stream, 'abc');
    assert.deepEqual(presigned?.value, { presignId: 'abc', ...grant });
    assert.deepEqual(await records.nextHousekeeping(stream), { value: { atMs: 17 }, version: 3 });
  });

  test('are else as they were', async (t) => {
    const data = await setUp(t);
    const others: readonly OldItem[] = [
      ['fleet/standing', 'worker', { healed: 1 }],
      [`${partition}/numbers/1`, '0000000000000005', null],
      [partition, 'announced/1', { firstNumber: 0 }],
      [partition, 'duration/1/0000000000000005', 2.002],
      [partition, 'end', { run: 1, number: 5, requestedAtMs: 9, reason: 'call' }],
      [partition, 'init/~', { key: 'k', digest: 'd' }],
      [partition, 'run/0000000000000001', { run: 1, session: '~1', audio: [] }],
      [partition, 'session/~1', { run: 1 }],
      [partition, 'timeline/0000000000000000', { sequence: 0, renditions }],
      ['stream/show', 'stream', { videoId: 'show', uid: 'u1', settings: { title: '"tails":[]' } }],
      ['streams', 'show', { uid: 'u1' }],
    ];
    writeOldItems(data, others);
    const { store } = open(t, data);
    for (const [of, sort, value] of others) {
      assert.deepEqual(await store.get(of, sort), { sort, version: 3, value });
    }
  });
});

for (const file of ['queuesFile', 'indexFile'] as const) {
  test(`a newer version's ${file === 'queuesFile' ? 'queues' : 'records'} are refused, and it is said what to do`, async (t) => {
    const data = await setUp(t);
    const database = new DatabaseSync(data[file]);
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.throws(
      () => open(t, data),
      (error) => {
        assert.ok(error instanceof Error);
        assert.ok(error.message.startsWith(data[file]));
        assert.match(error.message, /newer version of Rivulet\. Update this clone: git pull\.$/);
        return true;
      },
    );
  });
}
