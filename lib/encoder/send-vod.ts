/** Sends a file as it is (`--vod`): the server cuts and transcodes it. */

import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ApiClient, ApiError, createApiClient } from '../api/client.ts';
import type { FileView } from '../api/messages.ts';
import { sendFile } from '../api/send-file.ts';
import { UsageError } from '../base/command-line.ts';
import type { VodCommand } from './command.ts';
import type { Interrupts } from './interrupts.ts';
import { GaveUp, ServerLink } from './server-link.ts';

const PARALLEL = 3;
const RETRY_MS = 3_600_000;
const POLL_MS = 1000;
/** Of lines, where none can be overwritten. */
const PLAIN_INTERVAL_MS = 10_000;

const GAVE_UP = 2;

type Output = Readonly<{ isTTY?: boolean; write(text: string): unknown }>;

/** Goes on where an earlier run was broken off. Returns the exit code. Throws `UsageError`. */
export async function sendVod(
  command: VodCommand,
  interrupts: Interrupts,
  output: Output = process.stderr,
): Promise<number> {
  const { videoId, to, key, quiet, retryForMs = RETRY_MS, parallel = PARALLEL } = command;
  const api = createApiClient({ baseUrl: to, key });
  const line = new StatusLine(output, quiet);
  const link = new ServerLink({
    signal: interrupts.finish,
    retryForMs,
    waiting: 'trying on',
    warn: (text) => line.warn(text),
  });
  const file = await open(command.input, 'r').catch((error: Error) => {
    throw new UsageError(`${command.input} cannot be read: ${error.message}`);
  });
  try {
    const { size: sizeBytes } = await file.stat();
    const name = basename(command.input);
    if (command.title !== undefined) {
      const { title } = command;
      await link.call((signal) => api.putStream(videoId, { title }, { signal }));
    }
    const read = async (start: number, end: number) => {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      if (bytesRead === bytes.length) return bytes;
      throw new UsageError(`${command.input} has become shorter while it was sent.`);
    };
    await sendFile(
      api,
      { videoId, name, sizeBytes, read },
      {
        ...{ parallel, signal: interrupts.finish, call: (attempt) => link.call(attempt) },
        onProgress: (storedBytes) =>
          line.show(
            `${videoId}: sent ${percent(storedBytes, sizeBytes)} of ${megabytes(sizeBytes)}`,
          ),
      },
    );
    line.info(`${videoId}: the server has all of it, and processes it.`);
    return await watchProcessing(api, link, command, line);
  } catch (error) {
    return explain(error, interrupts, line);
  } finally {
    line.clear();
    await file.close();
  }
}

async function watchProcessing(
  api: ApiClient,
  link: ServerLink,
  { videoId, to }: VodCommand,
  line: StatusLine,
): Promise<number> {
  let isPlayable = false;
  for (;;) {
    const { file, state, durationSeconds } = await link.call((signal) =>
      api.getState(videoId, { signal }),
    );
    if (!isPlayable && durationSeconds > 0) line.info(`Watch it: ${to}/watch/${videoId}`);
    isPlayable ||= durationSeconds > 0;
    if (file?.failure) {
      const { message, hint } = file.failure;
      line.warn(`${videoId}: ${message} ${hint}`);
      return GAVE_UP;
    }
    if (file?.state === 'done' && state === 'ended') {
      for (const notice of file.notices ?? []) line.warn(`${videoId}: ${notice.message}`);
      line.info(`${videoId}: done, ${durationSeconds.toFixed(1)} s.`);
      return 0;
    }
    line.show(`${videoId}: ${processed(file, durationSeconds)}`);
    await link.pause(POLL_MS);
  }
}

const processed = (file: FileView | undefined, seconds: number): string =>
  file?.durationSeconds
    ? `processed ${percent(seconds, file.durationSeconds)} of ${file.durationSeconds.toFixed(0)} s`
    : `processed ${seconds.toFixed(0)} s`;

function explain(error: unknown, interrupts: Interrupts, line: StatusLine): number {
  if (interrupts.finish.aborted) {
    line.warn('Interrupted: the same command goes on from here.');
    return interrupts.exitCode();
  }
  if (error instanceof ApiError) line.warn(`${error.message} ${error.hint}`);
  else if (error instanceof GaveUp)
    line.warn(`${error.message} The same command goes on from here.`);
  else throw error;
  return GAVE_UP;
}

const percent = (part: number, whole: number): string =>
  `${Math.min(100, Math.floor((100 * part) / Math.max(1, whole)))} %`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** One line that is overwritten, or a line now and then where none can be. */
class StatusLine {
  readonly #output: Output;
  readonly #quiet: boolean;
  #isShown = false;
  #shownAtMs = Number.NEGATIVE_INFINITY;

  constructor(output: Output, quiet: boolean) {
    this.#output = output;
    this.#quiet = quiet;
  }

  show(text: string): void {
    const nowMs = performance.now();
    if (this.#quiet || (!this.#output.isTTY && nowMs - this.#shownAtMs < PLAIN_INTERVAL_MS)) return;
    this.#shownAtMs = nowMs;
    this.#isShown = this.#output.isTTY === true;
    this.#output.write(this.#isShown ? `\r\u001b[K${text}` : `${text}\n`);
  }

  /** Not printed when quiet. */
  info(text: string): void {
    if (!this.#quiet) this.warn(text);
  }

  warn(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  clear(): void {
    if (this.#isShown) this.#output.write('\r\u001b[K');
    this.#isShown = false;
  }
}
