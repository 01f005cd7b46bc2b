/** The encoder as a process, with arguments and what it prints. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const BIN = new URL('../../bin/encoder.ts', import.meta.url).pathname;

export type EncoderProcess = Readonly<{
  child: ChildProcess;
  exit: Promise<Readonly<{ code: number | null; signal: NodeJS.Signals | null }>>;
  output(): string;
}>;

/** Killed at the end of the test if it still runs. */
export function startEncoder(
  t: TestContext,
  args: readonly string[],
  env = {},
  bin = BIN,
): EncoderProcess {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, RIVULET_KEY: '', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdin.on('error', () => undefined);
  const exit = new Promise<Awaited<EncoderProcess['exit']>>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return { child, exit, output: () => output };
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-encoder-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return folder;
}

/** Polls; throws after `ms`, so that a condition that never holds does not hang the suite. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  ms = 60_000,
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${ms} ms in vain for: ${condition}`);
    await sleep(20);
  }
}

export async function ffmpeg(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
}

/** A small clip with a tone, H.264 and AAC, a keyframe each `gopSeconds`. */
export const makeClip = (
  path: string,
  seconds: number,
  gopSeconds: number,
  ...extra: string[]
): Promise<void> =>
  ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      String(25 * gopSeconds),
      '-sc_threshold',
      '0',
    ],
    ...['-c:a', 'aac', '-b:a', '96k', ...extra, path],
  );

/** How many frames decode, and what the decoder reports. */
export async function countFrames(
  path: string,
): Promise<Readonly<{ frames: number; errors: string }>> {
  const args = ['-v', 'error', '-count_frames', '-select_streams', 'v'];
  const entries = ['-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0'];
  const { stdout, stderr } = await promisify(execFile)('ffprobe', [...args, ...entries, path]);
  return { frames: Number.parseInt(stdout, 10), errors: stderr };
}

/** Paths of all files below a folder, relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
