/** The encoder's run: captures sessions into the spool, and uploads the spool to the server. */

import { randomBytes } from 'node:crypto';
import { addAbortListener } from 'node:events';
import { ApiError, createApiClient } from '../api/client.ts';
import { UsageError } from '../base/command-line.ts';
import { pause } from '../base/retry.ts';
import { startCapture } from './capture.ts';
import type { EncodeCommand } from './command.ts';
import { judge } from './delivery.ts';
import { aborted, type Interrupts } from './interrupts.ts';
import { type EncodePlan, planEncode, type Tools } from './plan.ts';
import { Progress } from './progress.ts';
import { GaveUp, retryDelayMs, ServerLink } from './server-link.ts';
import { findSessions, type SessionInfo, SessionSpool } from './session-spool.ts';
import { lockSpool, streamSpoolFolder } from './spool.ts';
import { SessionUploads, UploadQueue } from './upload-queue.ts';

const PARALLEL = { live: 2, file: 4 } as const;
/** A file is cut faster than it is sent: cutting waits while so much of it is on the disk. */
const MAX_WAITING_SEGMENTS = 64;
const MAX_WAITING_BYTES = 256_000_000;
const FILE_RETRY_MS = 3_600_000;
/** After an interrupt. */
const DRAIN_MS = 10_000;

/** Returns the exit code. Throws `UsageError`. */
export async function encode(
  command: EncodeCommand,
  tools: Tools,
  interrupts: Interrupts,
): Promise<number> {
  const streamFolder = streamSpoolFolder(command.spoolFolder, command.to, command.videoId);
  const lock = await lockSpool(streamFolder);
  if (!lock) {
    throw new UsageError(
      `Another encoder sends stream "${command.videoId}" from ${streamFolder}; stop it, or choose another --spool.`,
    );
  }
  try {
    return await new EncodeRun(command, tools, interrupts, streamFolder).run();
  } finally {
    await lock.release();
  }
}

class EncodeRun {
  readonly #command: EncodeCommand;
  readonly #tools: Tools;
  readonly #interrupts: Interrupts;
  readonly #streamFolder: string;
  readonly #failed = new AbortController();
  readonly #api: ReturnType<typeof createApiClient>;
  readonly #progress: Progress;
  #link: ServerLink;
  #uploads: SessionUploads;
  #refused = 0;
  #inputFailure: string | undefined;
  /** Of the newest session that has any. */
  #segments = 0;

  constructor(command: EncodeCommand, tools: Tools, interrupts: Interrupts, streamFolder: string) {
    this.#command = command;
    this.#tools = tools;
    this.#interrupts = interrupts;
    this.#streamFolder = streamFolder;
    const { to, key, videoId, quiet, title } = command;
    this.#api = createApiClient({ baseUrl: to, key });
    this.#progress = new Progress({ label: videoId, quiet, backlog: () => this.#uploads.backlog });
    this.#link = this.#openLink(undefined);
    const before = title === undefined ? Promise.resolve() : this.#setTitle(title);
    this.#uploads = new SessionUploads(before, (error) => this.#failed.abort(error));
  }

  async run(): Promise<number> {
    const { finish } = this.#interrupts;
    addAbortListener(finish, () =>
      this.#progress.info('Interrupted: sending what is left. Once more stops at once.'),
    );
    try {
      const stop = AbortSignal.any([finish, this.#failed.signal]);
      const plan = await Promise.race([
        planEncode(this.#command, this.#tools, process.stdin, stop),
        aborted(stop).then(() => Promise.reject(stop.reason)),
      ]);
      if (!plan.source.live) this.#link = this.#openLink(FILE_RETRY_MS);
      this.#showPlan(plan);
      await this.#resumeSessions(plan);
      await this.#captureAll(plan);
      const drained = await this.#drain();
      if (drained) await this.#end();
      return this.#exitCode();
    } catch (error) {
      return this.#explain(error);
    } finally {
      this.#progress.stop();
    }
  }

  /** Aborted when nothing is waited for any more. */
  get #stopped(): AbortSignal {
    return AbortSignal.any([this.#interrupts.abort, this.#failed.signal]);
  }

  #openLink(defaultRetryMs: number | undefined): ServerLink {
    return new ServerLink({
      signal: this.#stopped,
      retryForMs: this.#command.retryForMs ?? defaultRetryMs,
      waiting: `segments wait in ${this.#streamFolder}`,
      warn: (text) => this.#progress.warn(text),
    });
  }

  async #setTitle(title: string): Promise<void> {
    try {
      await this.#link.call((signal) =>
        this.#api.putStream(this.#command.videoId, { title }, { signal }),
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // An upload key may not set it; the media matters more.
      this.#progress.warn(`The title was not set: ${error.message} ${error.hint}`);
    }
  }

  /** Uploads what earlier runs left before anything else. */
  async #resumeSessions({ resumableSession }: EncodePlan): Promise<void> {
    for (const info of await findSessions(this.#streamFolder)) {
      if (info.session === resumableSession) continue;
      const spool = new SessionSpool(this.#streamFolder, info);
      const waiting = await spool.open();
      const numbers = new Set(waiting.map(({ number }) => number));
      waiting.push(...(await spool.adoptCut(numbers)));
      const queue = this.#openQueue(spool, undefined);
      for (const segment of waiting) queue.add(segment);
      queue.close();
      this.#uploads.add(queue);
      if (waiting.length > 0) {
        this.#progress.info(
          `${waiting.length} segments of session ${info.session} were left: they go first.`,
        );
      }
    }
  }

  async #captureAll(plan: EncodePlan): Promise<void> {
    const { finish } = this.#interrupts;
    const { durationSeconds } = this.#command;
    let cutSeconds = 0;
    for (let run = 1, failures = 0; ; run += 1) {
      const remaining = durationSeconds === undefined ? undefined : durationSeconds - cutSeconds;
      const end = await this.#captureSession(plan, run, remaining);
      cutSeconds += end.seconds;
      this.#inputFailure = end.failure;
      if (finish.aborted || this.#failed.signal.aborted || !plan.source.restartable) return;
      if (durationSeconds !== undefined && cutSeconds >= durationSeconds - 0.1) return;
      failures = end.segments > 0 ? 0 : failures + 1;
      const delayMs = retryDelayMs(failures + 1);
      const why = end.failure ?? 'the source ended';
      this.#progress.warn(`${why}\nTrying again in ${(delayMs / 1000).toFixed(1)} s.`);
      await pause(delayMs, finish);
      if (finish.aborted) return;
    }
  }

  async #captureSession(
    plan: EncodePlan,
    run: number,
    remainingSeconds: number | undefined,
  ): Promise<Readonly<{ segments: number; seconds: number; failure?: string }>> {
    const { finish } = this.#interrupts;
    const isFile = plan.resumableSession !== undefined;
    const info: SessionInfo = {
      session: plan.resumableSession ?? sessionName(this.#command.session, run),
      createdAtMs: Date.now(),
    };
    const spool = new SessionSpool(this.#streamFolder, info);
    const waiting = await spool.open();
    const queue = this.#openQueue(spool, isFile ? 0 : undefined);
    for (const segment of waiting) queue.add(segment);
    this.#uploads.add(queue);
    const limit = remainingSeconds === undefined ? [] : ['-t', String(remainingSeconds)];
    let seconds = 0;
    const capture = await startCapture({
      tools: this.#tools,
      inputArguments: plan.source.inputArguments,
      codecArguments: [...plan.codecArguments, ...limit],
      segmentSeconds: plan.segmentSeconds,
      folder: spool.cutFolder,
      stdin: plan.stdin,
      onSegment: async ({ number, durationSeconds, path }) => {
        seconds += durationSeconds ?? 0;
        if (!queue.has(number)) queue.add(await spool.add(number, durationSeconds, path));
      },
      admit: async () => {
        if (plan.source.live) return;
        while (isFull(queue) && !finish.aborted && !this.#failed.signal.aborted) {
          await Promise.race([queue.changed(), aborted(finish), aborted(this.#failed.signal)]);
        }
      },
    });
    // The run that resumes a file cuts it again: a shortened last segment would differ from that one.
    addAbortListener(finish, () => (isFile ? capture.kill() : capture.finish()));
    addAbortListener(this.#stopped, () => capture.kill());
    const end = await capture.done;
    queue.close();
    if (end.segments > 0) this.#segments = end.segments;
    return { ...end, seconds };
  }

  #openQueue(spool: SessionSpool, firstNumber: number | undefined): UploadQueue {
    return new UploadQueue({
      api: this.#api,
      link: this.#link,
      videoId: this.#command.videoId,
      spool,
      parallel: this.#command.parallel ?? PARALLEL[firstNumber === undefined ? 'live' : 'file'],
      firstNumber,
      onSent: (segment, receipt) => this.#progress.sent(segment, receipt),
      onRefused: (warning) => {
        this.#refused += 1;
        this.#progress.warn(warning);
      },
    });
  }

  /** Whether all that waited was sent. */
  async #drain(): Promise<boolean> {
    const done = this.#uploads.done().then(() => true);
    if (!this.#interrupts.finish.aborted) {
      const interrupted = aborted(this.#interrupts.finish).then(() => undefined);
      if ((await Promise.race([done, interrupted])) === true) return true;
    }
    const drained = await Promise.race([done, pause(DRAIN_MS).then(() => false)]);
    if (!drained)
      this.#failed.abort(new GaveUp('The rest could not be sent in time after the interrupt.'));
    return drained;
  }

  async #end(): Promise<void> {
    const { videoId } = this.#command;
    if (this.#segments === 0 || this.#progress.segments === 0) return;
    try {
      await this.#link.call((signal) => this.#api.endStream(videoId, { signal }));
    } catch (error) {
      throw error instanceof ApiError
        ? new GaveUp(`The stream could not be ended: ${error.message}`)
        : judge(error);
    }
    this.#progress.info(`${videoId}: ${this.#segments} segments, ended.`);
  }

  #exitCode(): number {
    this.#warnOfRest();
    if (this.#interrupts.finish.aborted) return this.#interrupts.exitCode();
    if (this.#inputFailure !== undefined) this.#progress.warn(this.#inputFailure);
    return this.#inputFailure === undefined && this.#refused === 0 && this.#segments > 0 ? 0 : 2;
  }

  #explain(error: unknown): number {
    if (this.#interrupts.finish.aborted) {
      this.#warnOfRest();
      return this.#interrupts.exitCode();
    }
    if (!(error instanceof GaveUp)) throw error;
    this.#progress.warn(error.message);
    this.#warnOfRest();
    return 2;
  }

  #warnOfRest(): void {
    const { segments, seconds } = this.#uploads.backlog;
    if (segments === 0) return;
    this.#progress.warn(
      `${segments} segments (${seconds.toFixed(1)} s) wait in ${this.#streamFolder}: run the encoder again to send them.`,
    );
  }

  #showPlan({ copies, source, segmentSeconds }: EncodePlan): void {
    const { to, videoId, input } = this.#command;
    const how = copies ? 'copied' : 'encoded';
    this.#progress.info(
      `${input} (${source.kind}, ${how}, ${segmentSeconds} s segments) → ${to}/upload/${videoId}`,
    );
  }
}

/** Each run needs a name of its own: those after the first get a number. */
const sessionName = (wanted: string | undefined, run: number): string =>
  wanted === undefined
    ? `live-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`
    : run === 1
      ? wanted
      : `${wanted}.${run}`;

const isFull = ({ backlog }: UploadQueue): boolean =>
  backlog.segments >= MAX_WAITING_SEGMENTS || backlog.bytes >= MAX_WAITING_BYTES;
