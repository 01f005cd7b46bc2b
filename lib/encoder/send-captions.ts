/** Sends a file of captions (`--captions`), WebVTT or SubRip: all of it at once, before, during or after the event. */

import { readFile } from 'node:fs/promises';
import { ApiError, createApiClient } from '../api/client.ts';
import { UsageError } from '../base/command-line.ts';
import type { CaptionsCommand } from './command.ts';
import type { Interrupts } from './interrupts.ts';
import { GaveUp, ServerLink } from './server-link.ts';

const RETRY_MS = 3_600_000;

const GAVE_UP = 2;

type Output = Readonly<{ write(text: string): unknown }>;

/** Sent again, the file takes the place of the one before. Returns the exit code. Throws `UsageError`. */
export async function sendCaptions(
  command: CaptionsCommand,
  interrupts: Interrupts,
  output: Output = process.stderr,
): Promise<number> {
  const { videoId, to, key, quiet, retryForMs = RETRY_MS, input, track } = command;
  const bytes = await readFile(input).catch((error: Error) => {
    throw new UsageError(`${input} cannot be read: ${error.message}`);
  });
  const warn = (text: string) => output.write(`${text}\n`);
  const api = createApiClient({ baseUrl: to, key });
  const signal = interrupts.finish;
  const link = new ServerLink({ signal, retryForMs, waiting: 'trying on', warn });
  try {
    const { track: name, cues } = await link.call((signal) =>
      api.uploadCaptions(videoId, track, bytes, { signal }),
    );
    if (!quiet) warn(`${videoId}: ${name} has all of ${input}, cues: ${cues}.`);
    return 0;
  } catch (error) {
    if (signal.aborted) return interrupts.exitCode();
    if (error instanceof ApiError) warn(`${input}: ${error.message} ${error.hint}`);
    else if (error instanceof GaveUp) warn(error.message);
    else throw error;
    return GAVE_UP;
  }
}
