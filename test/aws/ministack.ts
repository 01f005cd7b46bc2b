/** MiniStack, an emulator of AWS, as a process of the test's own. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { AwsConnection } from '../../lib/aws/connection.ts';
import { type Scope, waitFor } from '../support/system.ts';
import { findOpenSsl, installMiniStack, NoPythonError } from './ministack-setup.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 3_000;

export type MiniStackOptions = Readonly<{
  /** Nothing but TLS, and each role may do what its policies say and nothing else: as AWS does. */
  guarded?: boolean;
}>;

export type MiniStack = Readonly<{
  connection: AwsConnection & Readonly<{ endpoint: string }>;
  /** The same for another process. */
  env: Readonly<Record<string, string>>;
  /** Of the emulator's own; goes with it. */
  folder: string;
  output(): string;
}>;

const REGION = 'eu-central-1';
/** Those that MiniStack takes signatures of. */
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Tests of one file on one emulator; skipped, and saying so, where there is no Python. */
export async function withMiniStack(
  register: (stack: MiniStack) => void | Promise<void>,
  options: MiniStackOptions = {},
): Promise<void> {
  let stack: MiniStack;
  try {
    stack = await startMiniStack({ after }, options);
  } catch (error) {
    if (!(error instanceof NoPythonError) || process.env.CI) throw error;
    test('on an emulator of AWS', { skip: error.message }, () => {});
    return;
  }
  await register(stack);
}

/** On a free port of this machine alone; ends with the scope. */
export async function startMiniStack(
  scope: Scope,
  { guarded = false }: MiniStackOptions = {},
): Promise<MiniStack> {
  const python = await installMiniStack();
  if (guarded) await findOpenSsl();
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-ministack-'));
  const port = await freePort();
  const endpoint = `${guarded ? 'https' : 'http'}://127.0.0.1:${port}`;
  const certificate = join(folder, 'ministack-tls', 'server.crt');
  const child = spawn(python, ['-m', 'ministack'], {
    cwd: folder,
    env: {
      ...process.env,
      TMPDIR: folder,
      // Functions run on the Node that runs us.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      // The host in the URLs of queues.
      MINISTACK_HOST: '127.0.0.1',
      MINISTACK_REGION: REGION,
      // Functions as child processes, and no MQTT broker on all interfaces.
      LAMBDA_EXECUTOR: 'local',
      IOT_MTLS_ENABLED: '0',
      // No log of each request.
      LOG_LEVEL: 'WARNING',
      ...(guarded && {
        USE_SSL: '1',
        AUTH: 'true',
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        // For the functions, which ask it by TLS.
        NODE_EXTRA_CA_CERTS: certificate,
      }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      printed += text;
    });
  }
  const ended = once(child, 'exit');
  scope.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      await ended;
      clearTimeout(force);
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  await waitFor(
    'MiniStack',
    async () => {
      assert.equal(child.exitCode, null, printed);
      if (guarded) await trust(certificate).catch(() => {});
      const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
      return answer?.ok;
    },
    START_TIMEOUT_MS,
  );
  return {
    connection: { region: REGION, endpoint, credentials: CREDENTIALS },
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      // Of Node, and of the CDK's CLI.
      ...(guarded && { NODE_EXTRA_CA_CERTS: certificate, AWS_CA_BUNDLE: certificate }),
    },
    folder,
    output: () => printed,
  };
}

/** From now on, in this process. */
async function trust(path: string): Promise<void> {
  const certificate = await readFile(path, 'utf8');
  setDefaultCACertificates([...getCACertificates('default'), certificate]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
