import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError, type ErrorCode } from '../../lib/domain/errors.ts';
import { ThreadPool, type ThreadPoolOptions } from '../../lib/media/threads/thread-pool.ts';
import type { HostileTasks } from './hostile-thread.ts';
import type { SlowStartTasks } from './slow-start-thread.ts';

const MODULE = new URL('./hostile-thread.ts', import.meta.url);
const LONG_MS = 120_000;
const MUCH_BYTES = 1 << 30;

/** Limits that a test does not mean are too large to be met. */
function setUp(options: Partial<ThreadPoolOptions> & { timeMs?: number; memoryMb?: number } = {}) {
  const { timeMs = LONG_MS, memoryMb, ...rest } = options;
  const memoryBytes = memoryMb ? memoryMb << 20 : MUCH_BYTES;
  const reported: string[] = [];
  const pool = new ThreadPool<HostileTasks>({
    module: MODULE,
    threads: 2,
    maxWaitMs: LONG_MS,
    limits: () => ({ timeMs, memoryBytes }),
    report: (error, what) => reported.push(`${what}: ${(error as Error).message.split('\n')[0]}`),
    ...rest,
  });
  return { pool, reported };
}

const BYTES = new Uint8Array([1, 2, 3]);

const refused = async (task: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> => {
  await assert.rejects(task, (error) => {
    assert.ok(error instanceof DomainError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(error.hint.length > 20);
    return true;
  });
};

/** A task that holds a thread until `open` is called; `done` says that it has ended. */
function held(pool: ThreadPool<HostileTasks>, group: string) {
  const gate = new SharedArrayBuffer(4);
  const view = new Int32Array(gate);
  return {
    done: pool.run('hold', group, [gate]),
    open: () => {
      Atomics.store(view, 0, 1);
      Atomics.notify(view, 0);
    },
  };
}

describe('a pool of threads', () => {
  test('does tasks on copies of the bytes: their owner still has them', async () => {
    const { pool } = setUp();
    const init = new Uint8Array(5);
    assert.equal(await pool.run('count', 'a', [BYTES, { init }]), 8);
    assert.deepEqual(await pool.run('reverse', 'a', [BYTES]), new Uint8Array([3, 2, 1]));
    assert.deepEqual([BYTES.byteLength, init.byteLength], [3, 5]);
  });

  test('takes of a view only what it shows', async () => {
    const { pool } = setUp();
    const inside = Buffer.from('0123456789').subarray(2, 5);
    const { buffer, byteLength } = await pool.run('reverse', 'a', [inside]);
    assert.deepEqual([buffer.byteLength, byteLength], [3, 3]);
  });

  test('passes on a refusal whole', async () => {
    const { pool } = setUp();
    const error = await pool.run('refuse', 'a', []).catch((reason) => reason);
    assert.ok(error instanceof DomainError);
    const { code, message, hint } = error;
    assert.deepEqual([code, message, hint], ['no_keyframe', 'The message.', 'The hint.']);
  });

  test('refuses what makes a parser fail, reports why, and the thread goes on', async () => {
    const { pool, reported } = setUp({ threads: 1 });
    await refused(pool.run('fail', 'a', []), 'undecodable', /contents contradict each other/);
    await refused(pool.run('overflow', 'a', []), 'undecodable', /contents contradict each other/);
    assert.equal(await pool.run('count', 'a', [BYTES]), 3);
    assert.deepEqual(reported, [
      'fail: TypeError: Something of the parser is undefined.',
      'overflow: RangeError: Maximum call stack size exceeded',
    ]);
  });

  test('ends a task that spins at its deadline, and has a new thread for the next', async () => {
    const { pool } = setUp({ threads: 1, timeMs: 500 });
    await refused(pool.run('spin', 'a', []), 'undecodable', /not be read within 0.5 s/);
    assert.equal(await pool.run('count', 'a', [BYTES]), 3);
  });

  test('ends a task that waits for what never comes', async () => {
    const { pool } = setUp({ threads: 1, timeMs: 500 });
    await refused(pool.run('wait', 'a', []), 'undecodable', /not be read within 0.5 s/);
    assert.equal(await pool.run('count', 'a', [BYTES]), 3);
  });

  test('ends a task that hoards memory, in objects or in buffers, and the process lives', async () => {
    const { pool } = setUp({ threads: 1, memoryMb: 96 });
    await refused(pool.run('hoardObjects', 'a', []), 'undecodable', /within 96 MB of memory/);
    await refused(pool.run('hoardBuffers', 'a', []), 'undecodable', /within 96 MB of memory/);
    assert.equal(await pool.run('count', 'a', [BYTES]), 3);
  });

  test('refuses the task whose thread ends by itself, and has a new one for the next', async () => {
    const { pool, reported } = setUp({ threads: 1 });
    await refused(pool.run('leave', 'a', []), 'undecodable', /contradict/);
    assert.equal(await pool.run('count', 'a', [BYTES]), 3);
    assert.deepEqual(reported, ['leave: The thread ended.']);
  });

  test('serves others while a task spins', async () => {
    const { pool } = setUp();
    const events: string[] = [];
    const spinning = held(pool, 'hostile');
    const end = spinning.done.then(() => events.push('hostile'));
    for (const group of ['a', 'b', 'c']) {
      await pool.run('count', group, [BYTES]);
      events.push(group);
    }
    spinning.open();
    await end;
    assert.deepEqual(events, ['a', 'b', 'c', 'hostile']);
  });

  test('gives one group half of its threads at most, whatever waits of it', async () => {
    const { pool } = setUp({ threads: 4 });
    const hostile = Array.from({ length: 5 }, () => held(pool, 'hostile'));
    const others = ['a', 'b'].map((group) => held(pool, group));
    for (const { open } of others) open();
    await Promise.all(others.map(({ done }) => done));
    let ended = 0;
    for (const { done } of hostile) done.then(() => (ended += 1));
    assert.equal(await pool.run('count', 'c', [BYTES]), 3);
    assert.equal(ended, 0);
    for (const { open } of hostile) open();
    await Promise.all(hostile.map(({ done }) => done));
  });

  test('lets no task wait for ever: it is to be tried again', async () => {
    const { pool } = setUp({ threads: 1, maxWaitMs: 100 });
    const first = held(pool, 'a');
    await refused(pool.run('count', 'b', [BYTES]), 'unavailable', /waited for 0.1 s/);
    first.open();
    await first.done;
    assert.equal(await pool.run('count', 'b', [BYTES]), 3);
  });

  test('does not take the start of its first thread for others that are served', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const channel = new BroadcastChannel('slow-start');
    t.after(() => {
      channel.postMessage('start');
      channel.close();
    });
    const loaded = new Promise((resolve) => {
      channel.onmessage = resolve;
    });
    const pool = new ThreadPool<SlowStartTasks>({
      module: new URL('./slow-start-thread.ts', import.meta.url),
      threads: 1,
      maxWaitMs: 1500,
      report: (error) => assert.fail(String(error)),
    });
    const sums = Promise.all([1, 2, 3].map((number) => pool.run('add', 'a', [number, 1])));
    await loaded;
    t.mock.timers.tick(1500);
    channel.postMessage('start');
    assert.deepEqual(await sums, [2, 3, 4]);
  });

  test('that cannot start its threads blames no segment', async () => {
    const { pool } = setUp({ module: new URL('./no-such-thread.ts', import.meta.url) });
    for (let time = 0; time < 3; time += 1) {
      const error = await pool.run('count', 'a', [BYTES]).catch((reason) => reason);
      assert.ok(!(error instanceof DomainError));
      assert.match(error.message, /thread cannot be started/);
    }
  });
});
