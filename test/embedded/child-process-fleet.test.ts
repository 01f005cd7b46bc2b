import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  ChildProcessFleet,
  type ChildProcessFleetOptions,
  type WorkerExit,
} from '../../lib/embedded/child-process-fleet.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Longer than a test may last. */
const FOR_EVER_MS = 10 * 60_000;
const NO_RESTART = { backoff: { firstMs: FOR_EVER_MS, maxMs: FOR_EVER_MS } };

const fileHere = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the fleet of child processes', { concurrency: 4, timeout: 60_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => folder.remove());

  const pidsIn = async (file: string): Promise<number[]> => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number);
  };
  let fleets = 0;
  const fleetOf = (MODE: string, options: Partial<ChildProcessFleetOptions> = {}) => {
    fleets += 1;
    const file = join(folder.path, `${fleets}-${MODE}`);
    const exits: WorkerExit[] = [];
    const fleet = new ChildProcessFleet({
      module: fileHere('crashing-worker.ts'),
      env: { ...process.env, MODE, PIDS: file },
      graceMs: 10_000,
      onExit: (exit) => exits.push(exit),
      backoff: { firstMs: 20, maxMs: 2_000 },
      ...options,
    });
    return { fleet, exits, pids: () => pidsIn(file) };
  };

  test('starts as many as asked for, and ends them in an orderly way', async () => {
    const { fleet, exits, pids } = fleetOf('orderly');
    assert.deepEqual(await fleet.count(), { desired: 0, running: 0 });
    await fleet.scaleTo(2);
    await fleet.scaleTo(3);
    await until(async () => (await pids()).length === 3);
    assert.deepEqual(await fleet.count(), { desired: 3, running: 3 });
    assert.deepEqual((await pids()).sort(), fleet.pids.sort());
    await fleet.stop();
    const ended = [0, undefined];
    assert.deepEqual(
      exits.map(({ code, restartInMs }) => [code, restartInMs]),
      [ended, ended, ended],
    );
    assert.deepEqual(await fleet.count(), { desired: 0, running: 0 });
    await fleet.scaleTo(1);
    assert.deepEqual(await fleet.count(), { desired: 0, running: 0 }, 'it has stopped for good');
  });

  test('ends the workers with the fewest jobs, and starts others while they finish those', async () => {
    const jobs = new Map<string, number>();
    const { fleet, exits, pids } = fleetOf('orderly', { jobsOf: (owner) => jobs.get(owner) ?? 0 });
    await fleet.scaleTo(3);
    await until(async () => (await pids()).length === 3);
    const [first = 0, second = 0, third = 0] = fleet.pids;
    jobs.set(String(first), 2).set(String(second), 0).set(String(third), 1);
    await fleet.scaleTo(1);
    assert.deepEqual(fleet.pids, [first]);
    assert.deepEqual(await fleet.count(), { desired: 1, running: 1 });
    await fleet.scaleTo(2);
    assert.ok([second, third].every(isAlive), 'they finish what they do');
    await until(async () => exits.length === 2 && (await pids()).length === 4);
    assert.deepEqual(
      exits.map(({ owner, code }) => [Number(owner), code]).sort(),
      [
        [second, 0],
        [third, 0],
      ].sort(),
    );
    assert.equal(fleet.restarts, 0);
    assert.equal(fleet.pids[0], first);
    await fleet.stop();
    assert.equal(exits.length, 4);
  });

  test('starts no worker in place of one that crashed and is not wanted any more', async () => {
    const { fleet, exits } = fleetOf('crash', NO_RESTART);
    await fleet.scaleTo(2);
    await until(() => exits.length === 2);
    assert.deepEqual(await fleet.count(), { desired: 2, running: 0 });
    await fleet.scaleTo(0);
    await fleet.scaleTo(1);
    assert.deepEqual(await fleet.count(), { desired: 1, running: 1 });
    await fleet.stop();
  });

  test('starts missing workers at once when it is scaled, whatever their backoff', async () => {
    const { fleet, exits } = fleetOf('crash', NO_RESTART);
    await fleet.scaleTo(2);
    await until(() => exits.length === 2);
    await fleet.scaleTo(2);
    assert.deepEqual(await fleet.count(), { desired: 2, running: 2 });
    await until(() => exits.length === 4);
    await fleet.scaleTo(3);
    assert.deepEqual(await fleet.count(), { desired: 3, running: 3 });
    await fleet.stop();
  });

  test('starts nothing more when the backoff of a worker is over that is not wanted any more', async () => {
    const scaled = fleetOf('crash', { backoff: { firstMs: 100, maxMs: 100 } });
    await scaled.fleet.scaleTo(1);
    await until(() => scaled.exits.length === 1);
    await scaled.fleet.scaleTo(0);
    const { restarts } = scaled.fleet;
    // Its backoff begins later and is longer, so that the other's is over when it ends.
    const later = fleetOf('crash', { backoff: { firstMs: 200, maxMs: 200 } });
    await later.fleet.scaleTo(1);
    await until(() => later.fleet.restarts > 0);
    assert.equal(scaled.fleet.restarts, restarts);
    assert.deepEqual(await scaled.fleet.count(), { desired: 0, running: 0 });
    await Promise.all([scaled.fleet.stop(), later.fleet.stop()]);
  });

  test('starts a crashed worker again, later each time up to two seconds', async () => {
    const { fleet, exits } = fleetOf('crash', {
      backoff: { firstMs: 250, maxMs: 2_000 },
      healthyMs: FOR_EVER_MS,
    });
    for (let crashes = 0; crashes < 6; crashes += 1) {
      // Not to wait for the backoff.
      await fleet.scaleTo(1);
      await until(() => exits.length > crashes);
    }
    assert.deepEqual(
      exits.slice(0, 6).map(({ code, restartInMs }) => [code, restartInMs]),
      [250, 500, 1_000, 2_000, 2_000, 2_000].map((restartInMs) => [7, restartInMs]),
    );
    assert.equal(new Set(exits.map(({ owner }) => owner)).size, exits.length);
    await fleet.stop();
  });

  test('starts a worker that was well before it crashed as soon as after a first crash', async () => {
    const { fleet, exits } = fleetOf('crash', { healthyMs: 0 });
    await fleet.scaleTo(1);
    await until(() => exits.length >= 4);
    await fleet.stop();
    assert.deepEqual(
      exits.slice(0, 4).map(({ restartInMs }) => restartInMs),
      [20, 20, 20, 20],
    );
    assert.ok(fleet.restarts >= 3, 'each by its own timer');
  });

  test('starts nothing after it was stopped, not even a worker that crashed before', async () => {
    const backoffMs = 100;
    const { fleet, exits } = fleetOf('crash', { backoff: { firstMs: backoffMs, maxMs: 60_000 } });
    await fleet.scaleTo(1);
    await until(() => exits.length > 0);
    await fleet.stop();
    const { restarts } = fleet;
    // A timer that was set later for no less time: the restart's would come before it.
    await new Promise((resolve) => setTimeout(resolve, backoffMs));
    await fleet.scaleTo(1);
    assert.deepEqual(await fleet.count(), { desired: 0, running: 0 });
    assert.equal(fleet.restarts, restarts);
  });

  test('replaces a worker that was killed, and one that ended without being asked to', async () => {
    const killed = fleetOf('run');
    await killed.fleet.scaleTo(1);
    await until(async () => (await killed.pids()).length === 1);
    const [pid = 0] = await killed.pids();
    process.kill(pid, 'SIGKILL');
    await until(async () => (await killed.pids()).length === 2);
    assert.deepEqual(
      killed.exits.map(({ owner, signal }) => [owner, signal]),
      [[String(pid), 'SIGKILL']],
    );
    await killed.fleet.stop();
    const done = fleetOf('done');
    await done.fleet.scaleTo(1);
    await until(async () => (await done.pids()).length === 2);
    assert.deepEqual([done.exits[0]?.code, done.exits[0]?.restartInMs], [0, 20]);
    await done.fleet.stop();
  });

  test('kills workers that do not end in the time that they have', async () => {
    const { fleet, exits, pids } = fleetOf('stubborn', { graceMs: 300 });
    await fleet.scaleTo(2);
    await until(async () => (await pids()).length === 2);
    await fleet.scaleTo(1);
    await until(() => exits.length === 1);
    await fleet.stop();
    assert.deepEqual(
      exits.map(({ signal, restartInMs }) => [signal, restartInMs]),
      [
        ['SIGKILL', undefined],
        ['SIGKILL', undefined],
      ],
    );
  });

  test('leaves no worker behind when the engine is killed', async () => {
    const file = join(folder.path, 'orphans');
    const env = { ...process.env, MODE: 'stubborn', PIDS: file };
    const owner = spawn(process.execPath, [fileHere('fleet-owner.ts')], { env, stdio: 'ignore' });
    await until(async () => (await pidsIn(file)).length === 2);
    const workers = await pidsIn(file);
    assert.ok(workers.every(isAlive));
    owner.kill('SIGKILL');
    await until(() => !workers.some(isAlive));
  });
});
