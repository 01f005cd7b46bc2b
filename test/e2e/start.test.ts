import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { StreamView } from '../../lib/api/messages.ts';
import { encode, ffmpeg, lavfi } from '../support/ffmpeg.ts';
import { startTestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const START = fileURLToPath(new URL('../../bin/start.ts', import.meta.url));

/** Starts it with these settings, and expects it to refuse; what it prints to standard error. */
async function refusal(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<string> {
  const run = promisify(execFile)(process.execPath, [START, '--no-demo', ...args], {
    env: { ...process.env, PORT: '0', ...env },
    timeout: 60_000,
  });
  const error = await run.then(
    () => assert.fail('it started'),
    (failure: { code: number; stderr: string }) => failure,
  );
  assert.equal(error.code, 1, error.stderr);
  return error.stderr;
}

describe('start', () => {
  test('the system is healthy when it has started, and ends by itself when it is asked to', async (t) => {
    const system = await startTestSystem(t);
    const health = await waitFor('health', async () => {
      const answer = await fetch(`${system.url}/healthz`);
      return answer.ok ? ((await answer.json()) as { ready: boolean }) : undefined;
    });
    assert.equal(health.ready, true);
    const { code } = await system.kill('SIGINT');
    assert.equal(code, 0, system.output());
  });

  test('a wrong option is refused in one line without a stack trace', async () => {
    const known = '--no-demo, --aws, --stage, --help';
    assert.equal(
      await refusal({}, '--nope'),
      `Unknown option --nope; expected: one of ${known}.\nTry --help.\n`,
    );
    assert.match(
      await refusal({}, '--satge', 'x'),
      /^Unknown option --satge; did you mean --stage\?\n/,
    );
    assert.match(
      await refusal({}, '--stage'),
      /^--stage has no value; expected: the name of a stage\.\n/,
    );
    assert.match(await refusal({}, 'x'), /^Unexpected argument "x"\.\n/);
  });

  test('a wrong setting is refused with its name and what was expected', async (t) => {
    const folder = await temporaryFolder(t);
    const data = { RIVULET_DATA: join(folder, 'data') };
    assert.match(
      await refusal({ ...data, PORT: 'http' }),
      /PORT is "http"; expected: a whole number/,
    );
    assert.match(await refusal({ ...data, RIVULET_OWNER_KEY: 'short' }), /RIVULET_OWNER_KEY/);
    assert.match(await refusal({ ...data, RIVULET_WORKER: '2' }), /RIVULET_WORKERS/);
    const system = await startTestSystem(t, { dataPath: join(folder, 'data') });
    assert.match(await refusal(data), /Another engine/);
    const port = new URL(system.url).port;
    const elsewhere = { RIVULET_DATA: join(folder, 'other'), PORT: port };
    assert.match(await refusal(elsewhere), /port is in use.*PORT=/);
  });

  test('an owner key is generated once and readable by its user only', async (t) => {
    const dataPath = join(await temporaryFolder(t), 'data');
    const env = { RIVULET_OWNER_KEY: '' };
    const first = await startTestSystem(t, { dataPath, env });
    const keyFile = first.output().match(/Owner key\s+in (\S+)/)?.[1] ?? '';
    const key = (await readFile(keyFile, 'utf8')).trim();
    assert.ok(key.length >= 32);
    assert.doesNotMatch(first.output(), new RegExp(key), 'what is no terminal is kept as a log');
    assert.equal((await first.fetch('/streams', { key })).status, 200);
    assert.equal((await first.fetch('/streams/any', { key: null })).status, 401);
    assert.equal((await first.fetch('/streams', { key: 'guess' })).status, 403);
    await first.kill('SIGTERM');
    assert.equal((await stat(join(dataPath, 'secrets', 'owner-key'))).mode & 0o077, 0);
    const second = await startTestSystem(t, { dataPath, env });
    assert.equal((await second.fetch('/streams', { key })).status, 200);
  });
});

test('start: a stream whose encoder falls silent ends by itself, and a deleted one is gone', async (t) => {
  const system = await startTestSystem(t);
  const folder = await temporaryFolder(t);
  await ffmpeg([...lavfi('160x90'), '-t', '1', ...encode(30), join(folder, 'one.ts')]);
  const body = new Uint8Array(await readFile(join(folder, 'one.ts')));
  const settings = { idleTimeoutSeconds: 1, title: 'Short' };
  await system.fetch('/streams/idle', { method: 'PUT', body: JSON.stringify(settings) });
  await system.fetch('/upload/idle?segment=0', { method: 'POST', body });
  await waitFor('the end by silence', async () => {
    const answer = await fetch(`${system.url}/viewstream/metadata/idle?format=json`);
    return ((await answer.json()) as StreamView).state === 'ended';
  });
  const playlist = await fetch(`${system.url}/viewstream/metadata/idle/audio.m3u8`);
  const text = await playlist.text();
  assert.match(text, /#EXT-X-ENDLIST\n$/);
  const media = text.match(/^\/media\/.*$/m)?.[0] ?? assert.fail(text);
  assert.equal((await fetch(`${system.url}${media}`)).status, 200);
  assert.equal((await system.fetch('/streams/idle', { method: 'DELETE' })).status, 204);
  assert.equal((await fetch(`${system.url}${media}`)).status, 404);
  assert.equal((await fetch(playlist.url)).status, 404);
  assert.deepEqual(await (await system.fetch('/streams')).json(), { streams: [] });
  await system.fetch('/upload/idle?segment=0', { method: 'POST', body });
  const reborn = await waitFor('the stream of the same name', async () => {
    const answer = await fetch(playlist.url);
    return answer.ok ? answer.text() : undefined;
  });
  assert.ok(!reborn.includes(media), 'names are not used again');
});
