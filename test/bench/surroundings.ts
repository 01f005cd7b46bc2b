/** What benches stand on: the real system as its own process, sources made by ffmpeg, folders. */

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StreamView } from '../../lib/api/messages.ts';
import { type Scope, startTestSystem, type TestSystem, waitFor } from '../support/system.ts';

const run = promisify(execFile);

export type Surroundings = Readonly<{
  folder: string;
  scope: Scope;
  start(options?: Parameters<typeof startTestSystem>[1]): Promise<TestSystem>;
}>;

/** Everything that the work has made and started is gone when it ends. */
export async function withSurroundings<T>(work: (s: Surroundings) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void ends.unshift(end) };
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-bench-'));
  try {
    return await work({ folder, scope, start: (options) => startTestSystem(scope, options) });
  } finally {
    for (const end of ends) await end();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export const bareFfmpeg = async (args: readonly string[]): Promise<number> => {
  const startMs = performance.now();
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args], { maxBuffer: 1 << 26 });
  return performance.now() - startMs;
};

/** Moving, noisy pictures, tones and B-frames, as an encoder would send them. */
export async function makeSource(
  path: string,
  options: Readonly<{ size: string; seconds: number; kbps: number; keyframeEvery: number }>,
): Promise<void> {
  await bareFfmpeg([
    ...['-f', 'lavfi', '-i', `testsrc2=size=${options.size}:rate=30`],
    ...['-f', 'lavfi', '-i', 'sine=frequency=330:beep_factor=4:sample_rate=48000'],
    ...['-t', String(options.seconds), '-vf', 'noise=alls=10:allf=t'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-pix_fmt', 'yuv420p'],
    ...['-b:v', `${options.kbps}k`, '-maxrate', `${options.kbps}k`, '-bufsize', `${options.kbps}k`],
    ...['-g', String(options.keyframeEvery), '-sc_threshold', '0'],
    ...['-c:a', 'aac', '-b:a', '160k', '-ac', '2', path],
  ]);
}

/** Cut at keyframes into MPEG-TS; in order. */
export async function cutSource(path: string, folder: string, seconds: number): Promise<string[]> {
  const name = join(folder, 'segment-%04d.ts');
  const list = join(folder, 'list.m3u8');
  const hls = ['-f', 'hls', '-hls_time', String(seconds), '-hls_list_size', '0'];
  await bareFfmpeg(['-i', path, '-c', 'copy', ...hls, '-hls_segment_filename', name, list]);
  const files = await readdir(folder);
  return files
    .filter((file) => /^segment-\d+\.ts$/.test(file))
    .sort()
    .map((file) => join(folder, file));
}

export async function uploadFile(system: TestSystem, path: string, url: string): Promise<void> {
  const body = new Uint8Array(await readFile(path));
  const answer = await system.fetch(url, { method: 'POST', body });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

/**
 * A first stream, of this one segment, until it is published. No worker runs before it: what is
 * measured after it is a system at work, and not the start of its first worker.
 */
export async function warmUp(system: TestSystem, path: string): Promise<void> {
  await uploadFile(system, path, '/upload/warm-up?segment=0');
  await system.fetch('/upload/warm-up/end', { method: 'POST' });
  await waitForEnd(system, 'warm-up');
}

export const waitForEnd = (system: TestSystem, id: string): Promise<true> =>
  waitFor(
    `the end of the stream ${id}`,
    async () => {
      const answer = await fetch(`${system.url}/viewstream/metadata/${id}?format=json`);
      return ((await answer.json()) as StreamView).state === 'ended';
    },
    600_000,
  );

export async function createStream(
  system: TestSystem,
  id: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const body = JSON.stringify(settings);
  const answer = await system.fetch(`/streams/${id}`, { method: 'PUT', body });
  if (!answer.ok) throw new Error(await answer.text());
}
