import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildProcessFleet, type WorkerExit } from '../../lib/embedded/child-process-fleet.ts';
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
  const fleetOf = (MODE: string) => {
    const file = join(folder.path, MODE);
    const exits: WorkerExit[] = [];
    const fleet = new ChildProcessFleet({
      module: fileHere('crashing-worker.ts'),
      env: { ...process.env, MODE, PIDS: file },
      onExit: (exit) => exits.push(exit),
      firstBackoffMs: 20,
    });
    return { fleet, exits, pids: () => pidsIn(file) };
  };

  test('starts as many as asked for, never stops one, and ends them in order', async () => {
    const { fleet, exits, pids } = fleetOf('orderly');
    await fleet.ensure(2);
    await fleet.ensure(3);
    await fleet.ensure(1);
    await until(async () => (await pids()).length === 3);
    assert.equal(await fleet.running(), 3);
    assert.deepEqual((await pids()).sort(), fleet.pids.sort());
    await fleet.stop(10_000);
    assert.deepEqual(
      exits.map(({ code, restartInMs }) => [code, restartInMs]),
      [
        [0, undefined],
        [0, undefined],
        [0, undefined],
      ],
    );
    assert.equal(await fleet.running(), 0);
  });

  test('starts a crashed worker again, later each time, and tells of each', async () => {
    const { fleet, exits } = fleetOf('crash');
    await fleet.ensure(1);
    await until(() => exits.length === 3);
    await fleet.ensure(1);
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
    await fleet.stop(100);
    const { length } = exits;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(exits.length, length, 'nothing comes after the stop');
  });

  test('lets a worker be killed and replaced, and one that is done be gone', async () => {
    const killed = fleetOf('run');
    await killed.fleet.ensure(1);
    await until(async () => (await killed.pids()).length === 1);
    const [pid = 0] = await killed.pids();
    process.kill(pid, 'SIGKILL');
    await until(async () => (await killed.pids()).length === 2);
    assert.deepEqual(
      killed.exits.map(({ owner, signal }) => [owner, signal]),
      [[String(pid), 'SIGKILL']],
    );
    await killed.fleet.stop(5_000);
    const done = fleetOf('done');
    await done.fleet.ensure(1);
    await until(() => done.exits.length === 1);
    assert.equal(done.exits[0]?.restartInMs, undefined);
    assert.equal(await done.fleet.running(), 0);
  });

  test('kills those that do not end in time', async () => {
    const { fleet, exits, pids } = fleetOf('stubborn');
    await fleet.ensure(1);
    await until(async () => (await pids()).length === 1);
    const startedAtMs = performance.now();
    await fleet.stop(300);
    assert.ok(performance.now() - startedAtMs >= 290);
    assert.equal(exits[0]?.signal, 'SIGKILL');
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
