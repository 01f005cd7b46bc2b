import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { STATEMENTS } from '../../lib/embedded/queue-database.ts';
import type { Delivery } from '../../lib/ports/ports.ts';
import { LEASE_MS, take, testQueues } from './test-queues.ts';

const BACKLOG = 1_000;

/** A queue that receivers share: each slot does one job after the other. */
async function setUp(t: TestContext) {
  const queues = await testQueues(t);
  const queue = queues.open({ groups: 'fair', maxDeliveries: 5 });
  const sent = new Map<string, number>();
  /** Bodies are `a0`, `a1` … of group `a`. */
  const send = async (group: string, count = 1): Promise<void> => {
    const from = sent.get(group) ?? 0;
    sent.set(group, from + count);
    const bodies = Array.from({ length: count }, (_, index) => `${group}${from + index}`);
    await queue.send(bodies.map((body) => ({ body, group })));
  };
  const takeOne = async (): Promise<Delivery> => {
    const [delivery] = await take(queue);
    return delivery ?? assert.fail('the queue is empty');
  };
  const finish = ({ receipt }: Delivery) => queue.acknowledge([receipt]);
  /** One slot does so many jobs. */
  const work = async (count: number): Promise<string[]> => {
    const done: string[] = [];
    while (done.length < count) {
      const delivery = await takeOne();
      done.push(delivery.body);
      await finish(delivery);
    }
    return done;
  };
  return { ...queues, queue, send, takeOne, finish, work };
}

describe('a fair queue', () => {
  test('with one slot: a stream that comes to a backlog is served after the job that runs', async (t) => {
    const { send, takeOne, finish, work } = await setUp(t);
    await send('old', BACKLOG);
    assert.deepEqual(await work(3), ['old0', 'old1', 'old2']);
    const running = await takeOne();
    await send('new');
    await finish(running);
    assert.deepEqual(await work(2), ['new0', 'old4']);
  });

  test('with several slots: a stream that comes to a backlog has the first slot that is free', async (t) => {
    const { queue, send, takeOne, finish, work } = await setUp(t);
    await send('old', BACKLOG);
    await work(3);
    const running = await take(queue, 3);
    await send('new', 2);
    await finish(running[1] ?? assert.fail());
    const next = await takeOne();
    assert.equal(next.body, 'new0');
    await finish(running[0] ?? assert.fail());
    assert.deepEqual([(await takeOne()).body, (await takeOne()).body], ['old6', 'new1']);
  });

  test('with slots that took several jobs at once, a newcomer comes before the rest of them', async (t) => {
    const { queue, send, work } = await setUp(t);
    await send('old', BACKLOG);
    await take(queue, 10);
    await send('new', 1);
    assert.deepEqual(await work(2), ['new0', 'old10']);
  });

  test('streams that wait take turns, however many messages each has', async (t) => {
    const { send, work } = await setUp(t);
    await send('a', BACKLOG);
    await send('b', 3);
    await send('c', 2);
    const turns = ['a0', 'b0', 'c0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'];
    assert.deepEqual(await work(10), turns);
  });

  test('a stream without backlog is not held back by what it had before', async (t) => {
    const { send, work } = await setUp(t);
    await send('a', 50);
    await work(50);
    await send('b', 50);
    await send('a', 2);
    // The first turn of `b` is the one in which `a` was served last.
    assert.deepEqual(await work(5), ['b0', 'b1', 'a50', 'b2', 'a51']);
  });

  test('with one slot: a stream that comes back after each job takes every second turn', async (t) => {
    const { send, work } = await setUp(t);
    await send('backlog', BACKLOG);
    await send('back');
    const done: string[] = [];
    for (let job = 0; job < 10; job += 1) {
      const [body = ''] = await work(1);
      done.push(body);
      if (body.startsWith('back') && !body.startsWith('backlog')) await send('back');
    }
    const ofBacklog = done.filter((body) => body.startsWith('backlog'));
    assert.deepEqual(ofBacklog, ['backlog0', 'backlog1', 'backlog2', 'backlog3', 'backlog4']);
  });

  test('with several slots: streams that come back while others run do not starve a backlog', async (t) => {
    const { send, takeOne, finish } = await setUp(t);
    await send('backlog', BACKLOG);
    const comers = ['x', 'y', 'z'];
    for (const group of comers) await send(group);
    const running = [await takeOne(), await takeOne(), await takeOne()];
    let ofBacklog = 0;
    // At each moment two of three slots are busy, and each of the others has just come back.
    for (let job = 0; job < 40; job += 1) {
      const done = running.shift() ?? assert.fail();
      await finish(done);
      if (done.group === 'backlog') ofBacklog += 1;
      else await send(done.group ?? '');
      running.push(await takeOne());
    }
    assert.ok(ofBacklog >= 9, `${ofBacklog} of 40 jobs, of four streams`);
  });

  test('a message that failed keeps its turn, and so does one whose lease ran out', async (t) => {
    const { clock, queue, send, takeOne, finish, work } = await setUp(t);
    await send('a', 5);
    await send('b', 5);
    const failed = await takeOne();
    await queue.release(failed.receipt, 0);
    const again = await takeOne();
    assert.deepEqual([again.body, again.deliveries], ['a0', 2]);
    await finish(again);
    const late = await takeOne();
    assert.equal(late.body, 'b0');
    clock.nowMs += LEASE_MS;
    assert.deepEqual(await work(3), ['b0', 'a1', 'b1']);
  });

  test('delayed messages come in their turn when they are due', async (t) => {
    const { clock, queue, send, work } = await setUp(t);
    await queue.send([{ body: 'late', group: 'a', delayMs: 1_000 }]);
    await send('b', 3);
    assert.deepEqual(await work(2), ['b0', 'b1']);
    clock.nowMs += 1_000;
    assert.deepEqual(await work(2), ['late', 'b2']);
    assert.deepEqual(await take(queue), []);
  });

  test('a receiver that leaves out groups gets the first of the others, however long their backlog', async (t) => {
    const { queue, send, work } = await setUp(t);
    await send('busy', BACKLOG);
    await work(3);
    const except = (...exceptGroups: string[]) =>
      queue.receive({ max: 1, waitMs: 0, leaseMs: LEASE_MS, exceptGroups });
    assert.deepEqual(await except('busy'), []);
    await send('a', 2);
    await send('b', 1);
    const [first] = await except('busy', 'c');
    assert.equal(first?.body, 'a0');
    const [second] = await except('busy', 'a');
    assert.equal(second?.body, 'b0');
    assert.deepEqual(await except('busy', 'a', 'b'), []);
  });

  test('a receiver that leaves out groups waits for a message of the others', async (t) => {
    const { queue, send } = await setUp(t);
    await send('busy', 3);
    const options = { max: 1, waitMs: 600_000, leaseMs: LEASE_MS, exceptGroups: ['busy'] };
    const waiting = queue.receive(options);
    await send('a');
    assert.deepEqual(
      (await waiting).map(({ body }) => body),
      ['a0'],
    );
  });

  test('turns outlast the process', async (t) => {
    const { open, send, work } = await setUp(t);
    await send('a', BACKLOG);
    await work(5);
    const other = open({ groups: 'fair', owner: 'another process' });
    await other.send([{ body: 'new', group: 'b' }]);
    assert.deepEqual(await work(2), ['new', 'a5']);
  });

  test('each step finds its messages by an index, and sorts none, however many wait', async (t) => {
    const { database, queue, send } = await setUp(t);
    for (let stream = 0; stream < 10; stream += 1) await send(`stream ${stream} `, BACKLOG);
    assert.equal((await take(queue, 10)).length, 10);
    const steps = [
      'sendFairly',
      'readyFairly',
      'ready',
      'nextAvailable',
      'lease',
      'serve',
    ] as const;
    for (const step of [...steps, 'forgetTurns', 'moveToDeadLetters', 'acknowledge'] as const) {
      const plan = database.quick.prepare(`EXPLAIN QUERY PLAN ${STATEMENTS[step]}`).all();
      const details = plan.map(({ detail }) => String(detail));
      const slow = details.filter((detail) => /SCAN (?!.*CONSTANT)|TEMP B-TREE/.test(detail));
      assert.deepEqual(
        slow.filter((detail) => !detail.startsWith('SCALAR')),
        [],
        step,
      );
    }
    const { served } = database.quick.prepare('SELECT count(*) AS served FROM served').get() ?? {};
    assert.ok(Number(served) <= 10, 'turns that are over are forgotten');
  });
});
