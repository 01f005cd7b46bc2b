import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockDataFolder, openDataFolder } from '../../lib/embedded/data-folder.ts';
import { type EmbeddedPorts, embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { QueueNotifier } from '../../lib/embedded/queue-notifier.ts';
import { temporaryFolder } from './temporary-folder.ts';

const RECEIVER = fileURLToPath(new URL('./queue-process.ts', import.meta.url));

const LOCKER = fileURLToPath(new URL('./lock-process.ts', import.meta.url));

type Receiver = Readonly<{
  child: ChildProcess;
  /** Bodies, in the order in which they came. */
  received: string[];
  /** How often it has begun to wait for messages. */
  waits: () => number;
  until(done: () => boolean): Promise<void>;
}>;

const job = (body: string) => ({ body, group: 'stream' });

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
  /** Resolves when it waits. */
  const start = async (mode: 'take' | 'hold'): Promise<Receiver> => {
    const child = fork(RECEIVER, [folder.path, mode]);
    children.push(child);
    const received: string[] = [];
    let waits = 0;
    child.on('message', (message) => {
      if (message === 'waiting') waits += 1;
      else received.push(...(message as string[]));
    });
    const until = async (done: () => boolean) => {
      while (!done()) await once(child, 'message');
    };
    await until(() => waits === 1);
    return { child, received, waits: () => waits, until };
  };

  test('a process that waits is woken by a message of another process, without a poll', {
    timeout: 60_000,
  }, async () => {
    const receiver = await start('take');
    try {
      for (let number = 0; number < 20; number += 1) {
        await receiver.until(() => receiver.waits() === number + 1);
        await ports.queues.liveJobs.send([job(`wake ${number}`)]);
        await receiver.until(() => receiver.received[number] === `wake ${number}`);
      }
    } finally {
      await end(receiver.child);
    }
  });

  test('processes that race for messages get each of them once', { timeout: 60_000 }, async () => {
    const receivers = await Promise.all([start('take'), start('take'), start('take')]);
    try {
      const sent = Array.from({ length: 300 }, (_, number) => `race ${number}`);
      for (let number = 0; number < sent.length; number += 4) {
        await ports.queues.liveJobs.send(sent.slice(number, number + 4).map(job));
      }
      const all = () => receivers.flatMap(({ received }) => received);
      await Promise.race(receivers.map(({ until }) => until(() => all().length >= sent.length)));
      assert.deepEqual(all().sort(), sent.toSorted());
      assert.deepEqual(await ports.queues.liveJobs.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      const busy = receivers.filter(({ received }) => received.length > 0);
      assert.ok(busy.length > 1, 'more than one took part');
    } finally {
      await Promise.all(receivers.map(({ child }) => end(child)));
    }
  });

  test('what a dead process had received is free at once, and its deliveries do not count', {
    timeout: 60_000,
  }, async () => {
    const { liveJobs } = ports.queues;
    const holder = await start('hold');
    await liveJobs.send([job('one'), job('two')]);
    await holder.until(() => holder.received.length > 0);
    const owner = String(holder.child.pid);
    await end(holder.child);
    assert.deepEqual(await liveJobs.receive({ max: 10, waitMs: 0, leaseMs: 1_000 }), []);
    const waiting = liveJobs.receive({ max: 10, waitMs: 600_000, leaseMs: 600_000 });
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
    await liveJobs.acknowledge(deliveries.map(({ receipt }) => receipt));
  });

  test('a message that kills every receiver becomes a dead letter all the same', async () => {
    const { liveJobs } = ports.queues;
    await liveJobs.send([job('deadly')]);
    let receivers = 0;
    while ((await liveJobs.receive({ max: 1, waitMs: 0, leaseMs: 600_000 })).length > 0) {
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
    const { delayed } = ports.queues;
    await delayed.send([{ body: 'tick' }]);
    await delayed.receive({ max: 1, waitMs: 0, leaseMs: 600_000 });
    ports.releaseAll();
    const [tick] = await delayed.receive({ max: 1, waitMs: 0, leaseMs: 600_000 });
    assert.deepEqual([tick?.body, tick?.deliveries], ['tick', 1]);
    await delayed.acknowledge([tick?.receipt ?? '']);
  });

  test('a receiver that waits looks into the database twice a second, and not more', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const stop = new AbortController();
    let looks = 0;
    const watched = embeddedPorts(openDataFolder(folder.path));
    const { listen } = QueueNotifier.prototype;
    t.mock.method(
      QueueNotifier.prototype,
      'listen',
      function (this: QueueNotifier, ...[queue, wake]: Parameters<typeof listen>) {
        looks += 1;
        return listen.call(this, queue, wake);
      },
    );
    const options = { max: 1, waitMs: 3_600_000, leaseMs: 1_000, signal: stop.signal };
    const waiting = watched.queues.analysisJobs.receive(options);
    for (let halfSeconds = 0; halfSeconds < 20; halfSeconds += 1) {
      t.mock.timers.tick(500);
      await new Promise(setImmediate);
    }
    stop.abort();
    assert.deepEqual(await waiting, []);
    assert.equal(looks, 21);
    watched.close();
  });
});

describe('a data folder', () => {
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
