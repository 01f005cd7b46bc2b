import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpuUsage } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockDataFolder, openDataFolder } from '../../lib/embedded/data-folder.ts';
import { type EmbeddedPorts, embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { temporaryFolder } from './temporary-folder.ts';

const RECEIVER = fileURLToPath(new URL('./queue-process.ts', import.meta.url));

const LOCKER = fileURLToPath(new URL('./lock-process.ts', import.meta.url));

type Received = Readonly<{ body: string; atMs: number }>;

describe('several processes on one data folder', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let ports: EmbeddedPorts;
  const children: ChildProcess[] = [];
  before(async () => {
    folder = await temporaryFolder();
    ports = embeddedPorts(openDataFolder(folder.path));
  });
  after(async () => {
    await Promise.all(children.map(end));
    ports.close();
    await folder.remove();
  });

  const end = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const start = async (mode: string) => {
    const child = fork(RECEIVER, [folder.path, mode]);
    children.push(child);
    const received: Received[] = [];
    const [first] = await once(child, 'message');
    assert.equal(first, 'ready');
    child.on('message', (message) => received.push(message as Received));
    const until = async (done: () => boolean) => {
      while (!done()) await once(child, 'message', { signal: AbortSignal.timeout(10_000) });
    };
    return { child, received, until };
  };

  test('a waiting process is woken within 100 ms by a message of another', async () => {
    const receiver = await start('take');
    try {
      const wakesMs: number[] = [];
      for (let number = 0; number < 20; number += 1) {
        // Long enough for the receiver to wait again, and out of step with its polls.
        await new Promise((resolve) => setTimeout(resolve, 20 + number * 7));
        const sentAtMs = Date.now();
        await ports.queues.liveJobs.send([{ body: `wake ${number}` }]);
        await receiver.until(() => receiver.received.length > number);
        wakesMs.push((receiver.received[number]?.atMs ?? Number.POSITIVE_INFINITY) - sentAtMs);
      }
      wakesMs.sort((a, b) => a - b);
      assert.ok((wakesMs[18] ?? 0) < 100, `ms: ${wakesMs.join(' ')}`);
    } finally {
      await end(receiver.child);
    }
  });

  test('processes that race for messages get each of them once', async () => {
    const receivers = await Promise.all([start('take'), start('take'), start('take')]);
    try {
      const sent = Array.from({ length: 300 }, (_, number) => `race ${number}`);
      for (let number = 0; number < sent.length; number += 4) {
        const bodies = sent.slice(number, number + 4);
        await ports.queues.liveJobs.send(bodies.map((body) => ({ body })));
      }
      const all = () => receivers.flatMap(({ received }) => received.map(({ body }) => body));
      await Promise.race(receivers.map(({ until }) => until(() => all().length >= sent.length)));
      assert.deepEqual(all().sort(), sent.toSorted());
      assert.deepEqual(await ports.queues.liveJobs.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      const busy = receivers.filter(({ received }) => received.length > 0);
      assert.ok(busy.length > 1, 'more than one took part');
    } finally {
      await Promise.all(receivers.map(({ child }) => end(child)));
    }
  });

  test('what a dead process had received is free at once and was not counted', async () => {
    const { transcode } = ports.queues;
    const holder = await start('hold');
    await transcode.send([{ body: 'one' }, { body: 'two' }]);
    await holder.until(() => holder.received.length > 0);
    const owner = String(holder.child.pid);
    await end(holder.child);
    assert.deepEqual(await transcode.receive({ max: 10, waitMs: 0, leaseMs: 1_000 }), []);
    const waiting = transcode.receive({ max: 10, waitMs: 5_000, leaseMs: 600_000 });
    ports.releaseOwned('somebody else');
    ports.releaseOwned(owner);
    const deliveries = await waiting;
    assert.deepEqual(
      deliveries.map(({ body, deliveries: count }) => [body, count]),
      [
        ['one', 1],
        ['two', 1],
      ],
    );
    await transcode.acknowledge(deliveries.map(({ receipt }) => receipt));
  });

  test('a message that kills every receiver ends in the dead letters all the same', async () => {
    const { transcode } = ports.queues;
    await transcode.send([{ body: 'deadly' }]);
    let receivers = 0;
    while ((await transcode.receive({ max: 1, waitMs: 0, leaseMs: 600_000 })).length > 0) {
      receivers += 1;
      ports.releaseOwned(String(process.pid));
      assert.ok(receivers <= 10, 'it goes on for ever');
    }
    assert.equal(receivers, 10, 'five deliveries, and five that were not counted');
    const [dead] = await ports.deadLetters.jobs.receive({ max: 1, waitMs: 0, leaseMs: 1_000 });
    assert.equal(dead?.body, 'deadly');
    await ports.deadLetters.jobs.acknowledge([dead.receipt]);
  });

  test('a start after a crash frees every lease', async () => {
    const { timers } = ports.queues;
    await timers.send([{ body: 'tick' }]);
    await timers.receive({ max: 1, waitMs: 0, leaseMs: 600_000 });
    ports.releaseAll();
    const [tick] = await timers.receive({ max: 1, waitMs: 0, leaseMs: 600_000 });
    assert.deepEqual([tick?.body, tick?.deliveries], ['tick', 1]);
    await timers.acknowledge([tick?.receipt ?? '']);
  });

  test('waiting receivers cost next to no processor time', async () => {
    const stop = new AbortController();
    const queues = Object.values(ports.queues).concat(Object.values(ports.deadLetters));
    const before = cpuUsage();
    const waiting = queues.map((queue) =>
      queue.receive({ max: 1, waitMs: 60_000, leaseMs: 1_000, signal: stop.signal }),
    );
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    stop.abort();
    await Promise.all(waiting);
    const { user, system } = cpuUsage(before);
    assert.ok(user + system < 150_000, `${(user + system) / 1000} ms in 3 s`);
  });
});

describe('the data folder', () => {
  test('has one engine at a time, and secrets that stay', async () => {
    const folder = await temporaryFolder();
    const children: ChildProcess[] = [];
    try {
      const engine = lockDataFolder(folder.path);
      const start = () => {
        const child = fork(LOCKER, [folder.path], { execArgv: ['--expose-gc'] });
        children.push(child);
        return child;
      };
      const refused = start();
      const [message] = await once(refused, 'message');
      assert.match(String(message), new RegExp(`process ${process.pid}\\) uses ${folder.path}`));
      refused.kill('SIGKILL');
      const { ownerKey } = engine.secrets;
      assert.match(ownerKey, /^[\w-]{43}$/);
      engine.unlock();

      const holder = start();
      const [locked] = await once(holder, 'message');
      assert.equal(locked, 'locked');
      assert.throws(() => lockDataFolder(folder.path), /Another engine/);
      holder.kill('SIGKILL');
      await once(holder, 'exit');
      const next = lockDataFolder(folder.path);
      assert.equal(next.secrets.ownerKey, ownerKey);
      next.unlock();
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await folder.remove();
    }
  });
});
