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

const fileHere = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadlineMs, 'waited for too long');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the fleet of child processes', { concurrency: 4 }, () => {
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
      firstBackoffMs: 20,
      ...options,
    });
    return { fleet, exits, pids: () => pidsIn(file) };
  };

  test('starts as many as asked for, and ends them in order', async () => {
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

  test('tells those with the fewest jobs to go, and starts others while they are leaving', async () => {
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

  test('starts nobody in place of a worker that crashed and is not wanted any more', async () => {
    const { fleet, exits } = fleetOf('crash', { firstBackoffMs: 60_000 });
    await fleet.scaleTo(2);
    await until(() => exits.length === 2);
    assert.deepEqual(await fleet.count(), { desired: 2, running: 0 });
    await fleet.scaleTo(0);
    await fleet.scaleTo(1);
    assert.deepEqual(await fleet.count(), { desired: 1, running: 1 }, 'at once, and one alone');
    await fleet.stop();
  });

  test('starts a crashed worker again, later each time, and tells of each', async () => {
    const { fleet, exits } = fleetOf('crash');
    await fleet.scaleTo(1);
    await until(() => exits.length === 3);
    await fleet.scaleTo(1);
    assert.deepEqual(
      exits.map(({ code, restartInMs }) => [code, restartInMs]),
      [
        [7, 20],
        [7, 40],
        [7, 80],
      ],
    );
    assert.equal(new Set(exits.map(({ owner }) => owner)).size, 3);
    assert.equal(fleet.restarts, 2);
    await fleet.stop();
    const { length } = exits;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(exits.length, length, 'nothing comes after the stop');
  });

  test('replaces a worker that was killed, and one that ended without being told to', async () => {
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

  test('kills those that do not end in time', async () => {
    const { fleet, exits, pids } = fleetOf('stubborn', { graceMs: 300 });
    await fleet.scaleTo(2);
    await until(async () => (await pids()).length === 2);
    const startedAtMs = performance.now();
    await fleet.scaleTo(1);
    await until(() => exits.length === 1);
    await fleet.stop();
    assert.ok(performance.now() - startedAtMs >= 590);
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
