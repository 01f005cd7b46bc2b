/** Runs ffmpeg to its end, for the worker. The encoder client starts its own long-running ffmpeg (lib/encoder). */

import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { DomainError } from '../domain/errors.ts';
import { findFfmpeg } from './find.ts';

export type FfmpegOutput = Readonly<{
  stdout: Buffer;
  /** Last lines of what it reported; with `-v error` empty when all went well. */
  stderrTail: string;
}>;

/** ffmpeg's reports of a broken source may be endless. */
const MAX_STDERR_CHARACTERS = 8192;

/** The sound of the longest segment, or a line for each of its frames, is a fraction of it. */
const MAX_STDOUT_BYTES = 64 << 20;

/** When memory runs out, Linux ends the process with the highest (-1000 to 1000): not the one that serves. */
const OOM_SCORE_ADJUSTMENT = '500';

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
 * it cannot be started, the reason of `signal`, which kills it, and DomainError `undecodable` when it
 * writes without end.
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
    yieldToOthers(child);
    const pieces: Buffer[] = [];
    let stdoutBytes = 0;
    let stderrTail = '';
    child.stdout.on('data', (piece: Buffer) => {
      stdoutBytes += piece.byteLength;
      if (stdoutBytes <= MAX_STDOUT_BYTES) pieces.push(piece);
      else child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderrTail = (stderrTail + text).slice(-MAX_STDERR_CHARACTERS);
    });
    // After a kill it may still write: its end is waited for.
    child.on('error', (error) => !signal?.aborted && reject(error));
    child.on('close', (exitCode, killedBy) => {
      if (signal?.aborted) reject(signal.reason);
      else if (stdoutBytes > MAX_STDOUT_BYTES) reject(tooMuchOutput());
      else if (exitCode === 0) resolve({ stdout: Buffer.concat(pieces), stderrTail });
      else reject(new FfmpegError(quoteCommand(path, allArgs), stderrTail, exitCode, killedBy));
    });
  });
}

export type FfmpegStream = Readonly<{
  stdout: Readable;
  /** Resolves when it has ended by itself or was killed by `kill`; throws as `runFfmpeg`. */
  done: Promise<void>;
  kill(): void;
}>;

/** Starts it; what it writes is read as fast as the caller can. Throws as `runFfmpeg` when it cannot be started. */
export async function streamFfmpeg({
  args,
  signal,
}: Readonly<{ args: readonly string[]; signal: AbortSignal }>): Promise<FfmpegStream> {
  const path = await findFfmpeg();
  signal.throwIfAborted();
  const allArgs = ['-nostdin', '-hide_banner', '-v', 'error', '-y', ...args];
  const killed = { signal, killSignal: 'SIGKILL' } as const;
  const child = spawn(path, allArgs, { stdio: ['ignore', 'pipe', 'pipe'], ...killed });
  yieldToOthers(child);
  let isKilled = false;
  let stderrTail = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderrTail = (stderrTail + text).slice(-MAX_STDERR_CHARACTERS);
  });
  const done = new Promise<void>((resolve, reject) => {
    child.on('error', (error) => !signal.aborted && reject(error));
    child.on('close', (exitCode, killedBy) => {
      if (signal.aborted) reject(signal.reason);
      else if (exitCode === 0 || isKilled) resolve();
      else reject(new FfmpegError(quoteCommand(path, allArgs), stderrTail, exitCode, killedBy));
    });
  });
  done.catch(() => undefined);
  return {
    stdout: child.stdout,
    done,
    kill() {
      isKilled = true;
      child.kill('SIGKILL');
    },
  };
}

const tooMuchOutput = (): DomainError =>
  new DomainError(
    'undecodable',
    `ffmpeg made more than ${MAX_STDOUT_BYTES >> 20} MB of one track.`,
    'The timestamps are broken; play the segment with ffplay to see.',
  );

const lowPriority = new AsyncLocalStorage<true>();

/** Every ffmpeg that `run` starts, however deep inside, leaves the cores to those of other calls. */
export const atLowPriority = <Result>(run: () => Promise<Result>): Promise<Result> =>
  lowPriority.run(true, run);

/**
 * Requests and playlists come before pictures: what serves needs little time, but at once. Alone on the
 * machine ffmpeg still has all of it. What a platform does not know or allow is left as it is.
 */
function yieldToOthers({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority;
  const priority = lowPriority.getStore() ? PRIORITY_LOW : PRIORITY_BELOW_NORMAL;
  try {
    setPriority(pid, Math.max(getPriority(), priority));
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE_ADJUSTMENT);
  } catch {}
}

/** The command as a POSIX shell takes it. */
const quoteCommand = (path: string, args: readonly string[]): string =>
  [path, ...args]
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
