/** Runs ffmpeg to its end, for the worker. The encoder client starts its own long-running ffmpeg (lib/encoder). */

import { spawn } from 'node:child_process';
import { findFfmpeg } from './find.ts';

export type FfmpegOutput = Readonly<{
  stdout: Buffer;
  /** Last lines of what it reported; with `-v error` empty when all went well. */
  stderrTail: string;
}>;

/** ffmpeg's reports of a broken source may be endless. */
const MAX_STDERR_CHARACTERS = 8192;

/** ffmpeg ended otherwise than with 0. The message carries the command, to be pasted into a shell. */
export class FfmpegError extends Error {
  readonly command: string;
  readonly stderrTail: string;
  readonly killedBy: NodeJS.Signals | null;

  constructor(
    command: string,
    stderrTail: string,
    exitCode: number | null,
    killedBy: NodeJS.Signals | null,
  ) {
    const how = killedBy ? `was killed by ${killedBy}` : `ended with exit code ${exitCode}`;
    super(`ffmpeg ${how}: ${stderrTail.trim() || 'it gave no reason'}\n$ ${command}`);
    this.name = 'FfmpegError';
    this.command = command;
    this.stderrTail = stderrTail;
    this.killedBy = killedBy;
  }
}

/**
 * Throws FfmpegError when it ends otherwise than with 0, the error of `spawn` or of `findFfmpeg` when
 * it cannot be started, and the reason of `signal`, which kills it.
 */
export async function runFfmpeg({
  args,
  signal,
}: Readonly<{ args: readonly string[]; signal?: AbortSignal }>): Promise<FfmpegOutput> {
  const path = await findFfmpeg();
  signal?.throwIfAborted();
  const allArgs = ['-nostdin', '-hide_banner', '-v', 'error', '-y', ...args];
  return new Promise((resolve, reject) => {
    const killed = { signal, killSignal: 'SIGKILL' } as const;
    const child = spawn(path, allArgs, { stdio: ['ignore', 'pipe', 'pipe'], ...killed });
    const pieces: Buffer[] = [];
    let stderrTail = '';
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderrTail = (stderrTail + text).slice(-MAX_STDERR_CHARACTERS);
    });
    // After a kill it may still write: its end is waited for.
    child.on('error', (error) => !signal?.aborted && reject(error));
    child.on('close', (exitCode, killedBy) => {
      if (signal?.aborted) reject(signal.reason);
      else if (exitCode === 0) resolve({ stdout: Buffer.concat(pieces), stderrTail });
      else reject(new FfmpegError(quoteCommand(path, allArgs), stderrTail, exitCode, killedBy));
    });
  });
}

/** The command as a POSIX shell takes it. */
const quoteCommand = (path: string, args: readonly string[]): string =>
  [path, ...args]
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
