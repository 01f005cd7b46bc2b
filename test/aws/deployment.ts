/** A stage of the project on an emulator of AWS, deployed and used as an owner does it. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { deployments, type Outputs, stageDeployedHere } from '../../bin/deploy/deployments.ts';
import { IMAGE_FOLDER } from '../../containers/worker/bundle.ts';
import { type Scope, temporaryFolder, waitFor } from '../support/system.ts';
import type { MiniStack } from './ministack.ts';
import { watchWorker } from './worker-process.ts';

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const TASK = here('../../bin/task.mjs');
const EMULATED_APP = 'node test/aws/emulated-app.ts';
const TASK_TIMEOUT_MS = 300_000;

export type TaskRun = Readonly<{ output: string; timeMs: number }>;

export type Answer = Readonly<{ status: number; headers: Headers; text: string; json(): unknown }>;

type Ask = Readonly<{
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
}>;

export type Deployment = Readonly<{
  stack: MiniStack;
  stage: string;
  outputs: Outputs;
  ownerKey: string;
  /** Of the HTTP API, under the emulator's own address. */
  apiUrl: string;
  /** Name of the CDN, if there is one; only the emulator knows it. */
  cdnHost: string;
  /** With the owner key. */
  api(path: string, ask?: Ask): Promise<Answer>;
  /** As a viewer. */
  cdn(path: string, ask?: Ask): Promise<Answer>;
  deployAgain(): Promise<TaskRun>;
  destroy(): Promise<TaskRun>;
}>;

export type Part = 'core' | 'edge' | 'workers';

/** Tasks never start there: the emulator has no engine for containers. */
const FARGATE = ['-c', 'containerImage=registry.example/rivulet/worker:1'];

/**
 * Bootstraps and deploys parts of a new stage by the CDK's own CLI: with workers, or with a policy for
 * those that are started by hand. `timed` hears how long each took.
 */
export async function deploy(
  stack: MiniStack,
  parts: readonly Part[],
  timed: (what: string, timeMs: number) => void = () => {},
): Promise<Deployment> {
  const stage = `t${randomBytes(4).toString('hex')}`;
  const workers = parts.includes('workers') ? FARGATE : ['-c', 'workers=none'];
  const templates = ['--output', join(stack.folder, stage)];
  const options = ['-c', `stage=${stage}`, ...workers, '--app', EMULATED_APP, ...templates];
  const task = (name: string, ...args: string[]) => runTask(stack, [name, ...options, ...args]);
  const deployParts = () =>
    task('deploy', '--require-approval', 'never', ...parts.map((part) => `*-${part}`));
  timed('bootstrap', (await task('bootstrap')).timeMs);
  timed('deploy', (await deployParts()).timeMs);
  const deployed = deployments();
  const outputs = { ...deployed[`rivulet-${stage}-core`], ...deployed[`rivulet-${stage}-edge`] };
  const { endpoint } = stack.connection;
  const apiId = /^https:\/\/(\w+)\./.exec(outputs.ApiUrl ?? '')?.[1];
  const cdnHost = outputs.CdnUrl ? new URL(outputs.CdnUrl).host : '';
  const apiUrl = `${endpoint}/_aws/execute-api/${apiId}/$default`;
  const ownerKey = await readOwnerKey(stack, outputs.OwnerKeySecret ?? '');
  return {
    stack,
    stage,
    outputs,
    ownerKey,
    apiUrl,
    cdnHost,
    api: (path, ask = {}) =>
      send(`${apiUrl}${path}`, {
        ...ask,
        headers: { authorization: `Bearer ${ownerKey}`, ...ask.headers },
      }),
    cdn: (path, ask = {}) =>
      send(`${endpoint}${path}`, { ...ask, headers: { host: cdnHost, ...ask.headers } }),
    deployAgain: deployParts,
    destroy: () => task('destroy', '--force', '--with-media'),
  };
}

/** One of the project's tasks, as `npm run` starts it. Throws with all that it printed. */
async function runTask(stack: MiniStack, args: readonly string[]): Promise<TaskRun> {
  const startedAtMs = performance.now();
  const { stdout, stderr } = await run(process.execPath, [TASK, ...args], {
    cwd: here('../..'),
    env: { ...process.env, ...stack.env },
    maxBuffer: 16 * 1024 * 1024,
    timeout: TASK_TIMEOUT_MS,
  }).catch((error) => assert.fail(`${args.join(' ')}\n${error.stdout}${error.stderr}`));
  return { output: stdout + stderr, timeMs: performance.now() - startedAtMs };
}

async function readOwnerKey({ connection }: MiniStack, secret: string): Promise<string> {
  const client = new SecretsManagerClient(connection);
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  client.destroy();
  assert.ok(SecretString);
  return SecretString;
}

/** `fetch` does not send another host than that of the URL. */
async function send(url: string, { method = 'GET', headers, body }: Ask): Promise<Answer> {
  // What the certificate of the emulator names, whatever the host.
  const options = { method, headers: { ...headers }, servername: 'localhost' };
  const asked = request(url, options).end(body);
  const [answer] = await once(asked, 'response');
  const bytes = await buffer(answer);
  const answered = Object.entries(answer.headers as Record<string, string>);
  const text = bytes.toString();
  return {
    status: answer.statusCode,
    headers: new Headers(answered),
    text,
    json: () => JSON.parse(text),
  };
}

export type DeployedWorker = Readonly<{
  /** What it has logged. */
  entries(): readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
}>;

/** The bundle of the image, with the rights of the policy for workers and no others. */
export async function startWorker(
  scope: Scope,
  { stack, stage, outputs }: Deployment,
): Promise<DeployedWorker> {
  const folder = await temporaryFolder(scope);
  const child = spawn(process.execPath, [join(IMAGE_FOLDER, 'worker.mjs')], {
    env: {
      ...process.env,
      ...stack.env,
      ...(await assumeRole(stack, outputs.WorkerRoleArn ?? '', folder)),
      TMPDIR: folder,
      ...stageDeployedHere(stage)?.engine,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const worker = watchWorker(scope, child);
  const entries = () =>
    worker
      .output()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  await waitFor('the worker', async () => {
    assert.ok(!worker.hasEnded(), worker.output());
    return entries().some(({ what }) => what === 'started');
  });
  return { entries, stop: worker.stop };
}

const PRINT_CREDENTIALS = `
import { S3Client } from '@aws-sdk/client-s3';
console.log(JSON.stringify(await new S3Client().config.credentials()));
`;

/** The SDK asks STS itself for the role that a profile names. */
async function assumeRole(
  stack: MiniStack,
  roleArn: string,
  folder: string,
): Promise<Record<string, string>> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...env } = stack.env;
  const profiles = join(folder, 'profiles');
  await writeFile(
    profiles,
    `[profile owner]
aws_access_key_id = ${AWS_ACCESS_KEY_ID}
aws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}
[profile worker]
source_profile = owner
role_arn = ${roleArn}
`,
  );
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', PRINT_CREDENTIALS], {
    cwd: here('../..'),
    env: { PATH: process.env.PATH, ...env, AWS_CONFIG_FILE: profiles, AWS_PROFILE: 'worker' },
  });
  const { accessKeyId, secretAccessKey, sessionToken } = JSON.parse(stdout);
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}
