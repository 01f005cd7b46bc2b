import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { tryFileLock } from '../../lib/base/file-lock.mjs';

const MODULE = new URL('../../lib/base/file-lock.mjs', import.meta.url).href;

function lockPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'lock');
}

/** Another process takes the lock, says whether it has it, and ends as told. */
function takeElsewhere(path: string, end = ''): Readonly<{ pid: number; has: boolean }> {
  const script = `
    import { tryFileLock } from ${JSON.stringify(MODULE)};
    console.log(tryFileLock(${JSON.stringify(path)}) !== undefined);
    ${end}
  `;
  const { pid, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  return { pid, has: stdout.trim() === 'true' };
}

describe('file lock', () => {
  test('one process has it until it releases it', (t) => {
    const path = lockPath(t);
    const lock = tryFileLock(path);
    assert.ok(lock);
    assert.equal(readFileSync(path, 'utf8'), String(process.pid));
    assert.equal(takeElsewhere(path).has, false);
    lock.release();
    assert.equal(takeElsewhere(path).has, true);
  });

  test('a process that exits releases it; that of a killed one is taken over', (t) => {
    const path = lockPath(t);
    assert.equal(takeElsewhere(path).has, true);
    assert.equal(existsSync(path), false);
    const killed = takeElsewhere(path, "process.kill(process.pid, 'SIGKILL');");
    assert.equal(readFileSync(path, 'utf8'), String(killed.pid));
    const lock = tryFileLock(path);
    assert.ok(lock);
    lock.release();
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });

  test('one that its holder no longer touches is taken over, a fresh one without an owner is not', (t) => {
    const path = lockPath(t);
    writeFileSync(path, '');
    assert.equal(tryFileLock(path), undefined, 'it is being written');
    writeFileSync(path, String(process.ppid));
    assert.equal(tryFileLock(path), undefined, 'its holder lives');
    const aMinuteAgo = new Date(Date.now() - 60_000);
    utimesSync(path, aMinuteAgo, aMinuteAgo);
    const lock = tryFileLock(path);
    assert.ok(lock);
    lock.release();
  });
});
