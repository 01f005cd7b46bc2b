/**
 * Accepts what an unmodified encoder pushes to this machine, answers at once, and forwards it to the
 * server when the server can be reached.
 */

import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ApiClient, createApiClient } from '../api/client.ts';
import { UsageError } from '../base/command-line.ts';
import { pause } from '../base/retry.ts';
import { parseVideoId } from '../domain/ids.ts';
import type { RelayCommand } from './command.ts';
import { aborted, type Interrupts } from './interrupts.ts';
import { Progress } from './progress.ts';
import { canBeSpooled, PushForwarder } from './push-forwarder.ts';
import { type PushAnswer, type PushHandler, startPushServer } from './push-server.ts';
import { Refusals } from './refusals.ts';
import { GaveUp, ServerLink } from './server-link.ts';
import { lockSpool, type SpoolLock, streamSpoolFolder } from './spool.ts';

/** After an interrupt. */
const DRAIN_MS = 10_000;

/** Runs until it is interrupted; returns the exit code. Throws `UsageError`. */
export async function relay(command: RelayCommand, interrupts: Interrupts): Promise<number> {
  const run = new RelayRun(command, interrupts);
  const handler: PushHandler = { onFile: (path, body) => run.take(path, body) };
  const server = await startPushServer(handler, command.port).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new UsageError(`--port is "${command.port}"; expected: a free port; ${message}.`);
  });
  try {
    await run.resume();
    console.log(
      `Push to http://127.0.0.1:${server.port}/${command.videoId ?? 'STREAM'}/out.m3u8 (ffmpeg: -f hls -method PUT).`,
    );
    return await run.untilStopped();
  } finally {
    await server.close();
    await run.release();
  }
}

type RelayedStream = Readonly<{ forwarder: PushForwarder; lock: SpoolLock }>;

class RelayRun {
  readonly #command: RelayCommand;
  readonly #interrupts: Interrupts;
  readonly #failed = new AbortController();
  readonly #link: ServerLink;
  readonly #api: ApiClient;
  readonly #progress: Progress;
  readonly #refusals = new Refusals((text) => this.#progress.warn(text));
  readonly #streams = new Map<string, Promise<RelayedStream | undefined>>();
  readonly #forwarders = new Map<PushForwarder, Promise<void>>();

  constructor(command: RelayCommand, interrupts: Interrupts) {
    this.#command = command;
    this.#interrupts = interrupts;
    this.#api = createApiClient({ baseUrl: command.to, key: command.key });
    this.#progress = new Progress({
      label: command.videoId ?? 'relay',
      quiet: command.quiet,
      backlog: () => ({
        segments: [...this.#forwarders.keys()].reduce((sum, { waiting }) => sum + waiting, 0),
      }),
    });
    this.#link = new ServerLink({
      signal: AbortSignal.any([interrupts.abort, this.#failed.signal]),
      retryForMs: command.retryForMs,
      waiting: `files wait in ${command.spoolFolder}`,
      warn: (text) => this.#progress.warn(text),
    });
  }

  /** Opens the streams of which an earlier run left files. */
  async resume(): Promise<void> {
    const { videoId, spoolFolder, to } = this.#command;
    const parent = dirname(streamSpoolFolder(spoolFolder, to, 'any'));
    const left = await readdir(parent).catch(() => []);
    const wanted = videoId === undefined ? left : [videoId];
    for (const id of wanted) {
      const folder = join(streamSpoolFolder(spoolFolder, to, id), 'pushed');
      const pushed = await readdir(folder).catch(() => []);
      if (pushed.length > 0 && (await this.#open(id))) {
        this.#progress.info(`${pushed.length} files of stream ${id} were left: they go first.`);
      }
    }
  }

  async take(path: readonly string[], body: Promise<Uint8Array>): Promise<PushAnswer> {
    const only = this.#command.videoId;
    const [videoId, ...parts] = only !== undefined && path.length === 1 ? [only, ...path] : path;
    const name = parts.join('/');
    if (videoId === undefined || name === '') {
      return { status: 404, text: 'Push to /STREAM/NAME: the id of the stream, and a file name.' };
    }
    if (only !== undefined && videoId !== only) {
      return { status: 403, text: `This relay is for stream "${only}".` };
    }
    try {
      parseVideoId(videoId);
    } catch (error) {
      return { status: 400, text: (error as Error).message };
    }
    if (!canBeSpooled(name)) {
      return {
        status: 400,
        text: 'The name is too long: use at most 200 bytes, folders included.',
      };
    }
    if (this.#interrupts.finish.aborted || this.#failed.signal.aborted) {
      return { status: 503, text: 'The relay is being stopped.' };
    }
    // Keeps the order of arrival: all files of a stream that is being opened wait for the same promise.
    const stream = await this.#open(videoId);
    if (!stream) return { status: 503, text: `Another encoder sends stream "${videoId}".` };
    await stream.forwarder.take(name, body);
    return { status: 201 };
  }

  /** Until an interrupt and the time to drain, or a failure that does not pass. Returns the exit code. */
  async untilStopped(): Promise<number> {
    const { finish, abort } = this.#interrupts;
    await aborted(AbortSignal.any([finish, this.#failed.signal]));
    const forwarders = [...this.#forwarders.keys()];
    for (const forwarder of forwarders) forwarder.close();
    if (!this.#failed.signal.aborted) {
      const sent = Promise.allSettled(this.#forwarders.values());
      await Promise.race([sent, pause(DRAIN_MS, abort)]);
    }
    const waiting = forwarders.reduce((sum, forwarder) => sum + forwarder.waiting, 0);
    const failure: unknown = this.#failed.signal.reason;
    this.#failed.abort();
    this.#progress.stop();
    this.#refusals.summarize();
    if (failure !== undefined && !(failure instanceof GaveUp)) throw failure;
    if (failure !== undefined) this.#progress.warn(failure.message);
    if (waiting > 0) {
      this.#progress.warn(
        `${waiting} files wait in ${this.#command.spoolFolder}: run the relay again to send them.`,
      );
    }
    return finish.aborted ? this.#interrupts.exitCode() : 2;
  }

  async release(): Promise<void> {
    for (const opened of this.#streams.values())
      await (await opened.catch(() => undefined))?.lock.release();
  }

  #open(videoId: string): Promise<RelayedStream | undefined> {
    const present = this.#streams.get(videoId);
    if (present) return present;
    const opening = this.#openStream(videoId);
    this.#streams.set(videoId, opening);
    // The other encoder may end: the next file tries again.
    opening.then(
      (stream) => !stream && this.#streams.delete(videoId),
      () => this.#streams.delete(videoId),
    );
    return opening;
  }

  async #openStream(videoId: string): Promise<RelayedStream | undefined> {
    const { spoolFolder, to } = this.#command;
    const folder = streamSpoolFolder(spoolFolder, to, videoId);
    const lock = await lockSpool(folder);
    if (!lock) return undefined;
    const forwarder = new PushForwarder({
      api: this.#api,
      link: this.#link,
      videoId,
      folder,
      onSent: (file, receipt) => {
        this.#refusals.accepted();
        this.#progress.sent(file, receipt);
      },
      onRefused: (warning, code) => this.#refusals.add(warning, code),
    });
    await forwarder.open();
    const run = forwarder.run();
    run.catch((error) => this.#failed.abort(error));
    this.#forwarders.set(forwarder, run);
    return { forwarder, lock };
  }
}
