/** The real system as its own process, as `npm start` runs it, on a temporary data folder. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const START = fileURLToPath(new URL('../../bin/start.ts', import.meta.url));
const OWNER_KEY = 'owner-key-of-the-tests';
const START_TIMEOUT_MS = 60_000;

export type TestSystem = {
  readonly url: string;
  /** With the owner key as the password, as for ffmpeg. */
  readonly urlWithKey: string;
  readonly ownerKey: string;
  readonly dataPath: string;
  readonly process: ChildProcess;
  /** Everything that it has printed. */
  output(): string;
  fetch(path: string, init?: RequestInit & { key?: string | null }): Promise<Response>;
  kill(signal: NodeJS.Signals): Promise<{ code: number | null; timeMs: number }>;
};

export type TestSystemOptions = Readonly<{
  dataPath?: string;
  port?: number;
  args?: readonly string[];
  ownerKey?: string;
  env?: Readonly<Record<string, string>>;
}>;

/** What a test's context is, or anything else that ends. */
export type Scope = Readonly<{ after(end: () => unknown): void }>;

export async function temporaryFolder(t: Scope): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rivulet-test-'));
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

export async function startTestSystem(
  t: Scope,
  options: TestSystemOptions = {},
): Promise<TestSystem> {
  const ownerKey = options.ownerKey ?? OWNER_KEY;
  const dataPath = options.dataPath ?? join(await temporaryFolder(t), 'data');
  const child = spawn(process.execPath, [START, ...(options.args ?? ['--no-demo'])], {
    env: {
      ...process.env,
      PORT: String(options.port ?? 0),
      RIVULET_DATA: dataPath,
      RIVULET_OWNER_KEY: ownerKey,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout?.on('data', (text) => {
    printed += text;
  });
  child.stderr?.on('data', (text) => {
    printed += text;
  });
  const ended = once(child, 'exit');
  const kill = async (signal: NodeJS.Signals) => {
    const startMs = performance.now();
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return { code: child.exitCode, timeMs: performance.now() - startMs };
  };
  t.after(() => kill('SIGKILL'));
  const url = await waitFor(
    'the address of the system',
    async () => {
      assert.equal(child.exitCode, null, printed);
      return printed.match(/All streams\s+(http:\/\/[^/\s]+)/)?.[1];
    },
    START_TIMEOUT_MS,
  );
  return {
    url,
    urlWithKey: url.replace('://', `://x:${ownerKey}@`),
    ownerKey,
    dataPath,
    process: child,
    output: () => printed,
    fetch: (path, { key = ownerKey, ...init } = {}) => {
      const headers = new Headers(init.headers);
      if (key !== null) headers.set('authorization', `Bearer ${key}`);
      return fetch(`${url}${path}`, { ...init, headers });
    },
    kill,
  };
}

/** Asks again and again until there is an answer; fails with the name of what never came. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    assert.ok(performance.now() < deadline, `${what} did not come within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
