import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { ROOT } from './repository-files.ts';

/** Prints its arguments, echoes its input and ends at SIGTERM or at the end of its input. */
const TASK = `
import { writeSync } from 'node:fs';
const say = (line: string) => writeSync(1, line + '\\n');
process.on('SIGTERM', () => { say('stopping'); process.exit(7); });
say('args ' + JSON.stringify(process.argv.slice(2)));
say('node first on PATH ' + process.env.PATH?.split(':')[0]);
for await (const chunk of process.stdin) say('input ' + String(chunk).trim());
if (process.argv.includes('--stay')) setInterval(() => {}, 1000);
else process.exit(3);
`;

/** Stands in for npm: takes a moment, counts its runs and installs the Node that runs this test. */
const NPM = `
const { appendFileSync, mkdirSync, rmSync, symlinkSync } = require('node:fs');
appendFileSync('npm-runs', process.argv.slice(2).join(' ') + '\\n');
rmSync('node_modules', { recursive: true, force: true });
setTimeout(() => {
  mkdirSync('node_modules/.bin', { recursive: true });
  symlinkSync(process.execPath, 'node_modules/.bin/node');
}, 400);
`;

const OFFLINE_NPM = `
console.error('npm error code ENOTFOUND');
console.error('npm error network request failed');
process.exit(1);
`;

/** Debian's installer where one package does not exist. */
const APT_GET = `#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> apt-runs
case "$*" in *update*) exit 0;; *chromium*) echo 'E: Unable to locate package chromium'; exit 100;; esac
`;

const FFMPEG = `#!/bin/sh
echo 'ffmpeg version 7.1'
echo 'configuration: --enable-libx264'
echo 'libavcodec     61. 19.100 / 61. 19.100'
`;

type Clone = Readonly<{
  path: string;
  env: NodeJS.ProcessEnv;
  start(...args: string[]): ChildProcess;
}>;

/** A clone that was never set up, on a machine that has npm and, if wanted, ffmpeg. */
function freshClone(t: TestContext, options: { npm?: string; ffmpeg?: boolean } = {}): Clone {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'rivulet-clone-')));
  const programs = join(path, 'programs');
  cpSync(join(ROOT, 'bin', 'setup'), join(path, 'bin', 'setup'), { recursive: true });
  for (const file of [
    ['bin', 'task.mjs'],
    ['lib', 'base', 'file-lock.mjs'],
  ]) {
    cpSync(join(ROOT, ...file), join(path, ...file));
  }
  mkdirSync(programs);
  writeFileSync(join(path, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(path, 'package-lock.json'), '{ "packages": { "node_modules/a": {} } }');
  writeFileSync(join(path, 'bin', 'encoder.ts'), TASK);
  writeFileSync(join(programs, 'npm-cli.cjs'), options.npm ?? NPM);
  if (options.ffmpeg !== false) {
    writeFileSync(join(programs, 'ffmpeg'), FFMPEG);
    chmodSync(join(programs, 'ffmpeg'), 0o755);
  }
  symlinkSync('/bin/sh', join(programs, 'sh'));
  const children: ChildProcess[] = [];
  t.after(() => {
    for (const child of children) killGroup(child);
    rmSync(path, { recursive: true, force: true });
  });
  const env = {
    ...process.env,
    PATH: programs,
    TMPDIR: path,
    npm_execpath: join(programs, 'npm-cli.cjs'),
    npm_node_execpath: process.execPath,
  };
  return {
    path,
    env,
    start(...args) {
      const task = join(path, 'bin', 'task.mjs');
      const child = spawn(process.execPath, [task, ...args], { cwd: path, env, detached: true });
      children.push(child);
      return child;
    },
  };
}

/** A task with all that it started. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid ?? assert.fail()), 'SIGKILL');
  } catch {
    // It has ended.
  }
}

async function outcome(child: ChildProcess) {
  const { stdout, stderr } = child;
  assert.ok(stdout && stderr);
  const [output, messages, [code]] = await Promise.all([
    text(stdout),
    text(stderr),
    once(child, 'exit'),
  ]);
  return { output: output.trim().split('\n'), messages, code };
}

const npmRuns = (clone: Clone) =>
  existsSync(join(clone.path, 'npm-runs'))
    ? readFileSync(join(clone.path, 'npm-runs'), 'utf8').trim().split('\n')
    : [];

describe('task on a fresh clone', () => {
  test('tasks that start at once share one installation, and later ones need none', async (t) => {
    const clone = freshClone(t);
    const first = [clone.start('encoder', '-', '--flag=a b'), clone.start('encoder')];
    first[0]?.stdin?.end('one segment');
    first[1]?.stdin?.end();
    const [one, other] = await Promise.all(first.map(outcome));
    assert.deepEqual(one?.output, [
      'args ["-","--flag=a b"]',
      `node first on PATH ${join(clone.path, 'node_modules', '.bin')}`,
      'input one segment',
    ]);
    assert.deepEqual([one?.code, other?.code], [3, 3]);
    const [install, ...more] = npmRuns(clone);
    assert.match(install ?? '', /^ci .*--ignore-scripts/);
    assert.deepEqual(more, []);
    assert.match(`${one?.messages}${other?.messages}`, /Waiting for another set-up/);

    const again = clone.start('encoder');
    again.stdin?.end();
    assert.equal((await outcome(again)).messages, '');
    assert.equal(npmRuns(clone).length, 1);

    writeFileSync(
      join(clone.path, 'package-lock.json'),
      '{ "packages": { "node_modules/b": {} } }',
    );
    const changed = clone.start('encoder');
    changed.stdin?.end();
    assert.equal((await outcome(changed)).code, 3);
    assert.equal(npmRuns(clone).length, 2, 'a changed lockfile is installed');
  });

  test('the set-up succeeds after an earlier one was killed', async (t) => {
    const clone = freshClone(t);
    const killed = clone.start('encoder');
    await once(killed.stderr ?? assert.fail(), 'data');
    killGroup(killed);
    await once(killed, 'exit');
    const next = clone.start('encoder');
    next.stdin?.end();
    assert.equal((await outcome(next)).code, 3);
  });

  test('the task gets the signals of its runner, which exits with the code of the task', async (t) => {
    const clone = freshClone(t);
    const running = clone.start('encoder');
    running.stdout?.once('data', () => running.kill('SIGTERM'));
    const { output, code } = await outcome(running);
    assert.equal(code, 7);
    assert.equal(output.at(-1), 'stopping');
  });

  test('the task ends when npm was ended, which signals only the shell between them', async (t) => {
    const { path, env } = freshClone(t);
    const shell = spawn(
      '/bin/sh',
      ['-c', `"${process.execPath}" bin/task.mjs encoder --stay; true`],
      {
        cwd: path,
        env: { ...env, npm_lifecycle_event: 'encoder' },
      },
    );
    shell.stdout.once('data', () => shell.kill('SIGTERM'));
    const { output } = await outcome(shell);
    assert.equal(output.at(-1), 'stopping');
  });

  test('a program that cannot be installed does not keep the others from being installed', async (t) => {
    const { path, env } = freshClone(t);
    writeFileSync(join(path, 'programs', 'apt-get'), APT_GET);
    chmodSync(join(path, 'programs', 'apt-get'), 0o755);
    const script = `
      import { aptInstall } from './bin/setup/programs.mjs';
      await aptInstall(['ffmpeg', 'chromium']);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: path,
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const { messages, code } = await outcome(child);
    assert.equal(code, 0);
    assert.match(
      messages,
      /^Installing ffmpeg, chromium[\s\S]*E: Unable to locate package chromium/,
    );
    const runs = readFileSync(join(path, 'apt-runs'), 'utf8').trim().split('\n');
    assert.deepEqual(
      runs.map((run) => run.match(/^noninteractive -q .*?((?:update|install)\b.*)$/)?.[1]),
      [
        'update',
        'install -y --no-install-recommends ffmpeg chromium',
        'install -y --no-install-recommends ffmpeg',
        'install -y --no-install-recommends chromium',
      ],
    );
  });

  test('the message says what to do when something is missing that may not be installed', async (t) => {
    const offline = await outcome(freshClone(t, { npm: OFFLINE_NPM }).start('encoder'));
    assert.equal(offline.code, 1);
    assert.match(offline.messages, /npm error network[\s\S]*registry cannot be reached: connect/);
    assert.doesNotMatch(offline.messages, /^\s+at /m);

    const clone = freshClone(t, { ffmpeg: false });
    const withoutFfmpeg = await outcome(clone.start('encoder'));
    assert.equal(withoutFfmpeg.code, 1);
    assert.match(
      withoutFfmpeg.messages,
      /^ffmpeg 5\.1 or newer .* none was found\. To get it:\n {2}\S/,
    );
    assert.deepEqual(npmRuns(clone), [], 'it is said before anything is installed');

    const unknown = await outcome(freshClone(t).start('strat'));
    assert.equal(unknown.code, 1);
    assert.match(unknown.messages, /no task "strat"\. Tasks: start, encoder, cameras, test, bench/);
  });
});
