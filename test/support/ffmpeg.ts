/** Plain ffmpeg and its companions, as anybody would run them. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Test picture and tone; `rate` frames a second. */
export const lavfi = (size = '320x180', rate = 30, toneHz = 440): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`],
  ...['-f', 'lavfi', '-i', `sine=frequency=${toneHz}:sample_rate=48000`],
];

export const encode = (keyframeEvery = 60): string[] => [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  ...['-g', String(keyframeEvery), '-keyint_min', String(keyframeEvery), '-sc_threshold', '0'],
  ...['-c:a', 'aac', '-ac', '2'],
];

/** Resolves with what it printed; throws if it fails. */
export async function ffmpeg(args: readonly string[]): Promise<string> {
  const { stderr } = await run(
    'ffmpeg',
    ['-nostdin', '-hide_banner', '-v', 'error', '-y', ...args],
    {
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return stderr;
}

/** Started and left to run; ended with the test. */
export function startFfmpeg(t: TestContext, args: readonly string[]): ChildProcess {
  const child = spawn('ffmpeg', ['-nostdin', '-hide_banner', '-v', 'error', ...args], {
    stdio: 'ignore',
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

export type ProbedStream = Readonly<{
  codec_type: string;
  codec_name: string;
  width?: number;
  height?: number;
  nb_read_frames?: string;
  nb_read_packets?: string;
  duration?: string;
}>;

/** Decodes everything at an address and counts. */
export async function probe(
  url: string,
  options: readonly string[] = [],
): Promise<readonly ProbedStream[]> {
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-count_frames', '-show_streams', '-of', 'json', ...options, url],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  return (JSON.parse(stdout) as { streams: ProbedStream[] }).streams;
}
