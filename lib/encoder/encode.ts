/** The encoder's run: captures sessions into the spool, and uploads the spool to the server. */

import { randomBytes } from 'node:crypto';
import { addAbortListener } from 'node:events';
import { ApiError, createApiClient } from '../api/client.ts';
import { UsageError } from '../base/command-line.ts';
import { defined } from '../base/defined.ts';
import { pause } from '../base/retry.ts';
import { languageTrack } from '../domain/languages/language-track.ts';
import type { EncodeCommand } from './command.ts';
import { captureConnection } from './connection.ts';
import { judge } from './delivery.ts';
import { aborted, type Interrupts } from './interrupts.ts';
import { type EncodePlan, planEncode, SourceAway, type Tools } from './plan.ts';
import { Progress, type ProgressOptions } from './progress.ts';
import { Refusals } from './refusals.ts';
import { type Connection, captureUntilEnd } from './reopening.ts';
import { GaveUp, ServerLink } from './server-link.ts';
import { FileClock, SessionClock } from './session-clock.ts';
import { findSessions, type SessionInfo, SessionSpool } from './session-spool.ts';
import { openSource, type Source } from './source.ts';
import { SourceWait } from './source-wait.ts';
import { lockSpool, streamSpoolFolder } from './spool.ts';
import { startOfStream } from './stream-start.ts';
import { SessionUploads, UploadQueue } from './upload-queue.ts';

const PARALLEL = { live: 2, file: 4 } as const;
/** A file is cut faster than it is sent: cutting waits while so much of it is on the disk. */
const MAX_WAITING_SEGMENTS = 64;
const MAX_WAITING_BYTES = 256_000_000;
const FILE_RETRY_MS = 3_600_000;
/** After an interrupt. */
const DRAIN_MS = 10_000;
/** How long a connection may bring nothing at first: an encoder that connects to us has its time. */
const START_MS = 20_000;
const LISTEN_MS = 60_000;
const TELL_OF_DROPPED_MS = 60_000;
const NOTHING: Connection = { segments: 0, seconds: 0, reached: false };

/** `startProgress`: where figures and warnings go, the terminal by default. Returns the exit code. Throws `UsageError`. */
export async function encode(
  command: EncodeCommand,
  tools: Tools,
  interrupts: Interrupts,
  startProgress = (options: ProgressOptions): Progress => new Progress(options),
): Promise<number> {
  const { spoolFolder, to, videoId, sound } = command;
  const track = sound && languageTrack(sound.lang, sound.description ?? false).name;
  const streamFolder = streamSpoolFolder(spoolFolder, to, videoId, track);
  const lock = await lockSpool(streamFolder);
  if (!lock) {
    throw new UsageError(
      `Another encoder sends stream "${videoId}" from ${streamFolder}; stop it, or choose another --spool.`,
    );
  }
  try {
    return await new EncodeRun(command, tools, interrupts, streamFolder, startProgress).run();
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
  readonly #refusals = new Refusals((text) => this.#progress.warn(text));
  #inputFailure: string | undefined;
  /** Of the newest session that has any. */
  #segments = 0;
  /** Live sessions with segments. */
  #sessions = 0;
  /** Sessions are sent in the order of their creation, also when the clock is set back. */
  #newestSessionMs = 0;
  #shownPlan = '';
  #dropped = 0;
  #toldOfDroppedMs = Number.NEGATIVE_INFINITY;

  constructor(
    command: EncodeCommand,
    tools: Tools,
    interrupts: Interrupts,
    streamFolder: string,
    startProgress: (options: ProgressOptions) => Progress,
  ) {
    this.#command = command;
    this.#tools = tools;
    this.#interrupts = interrupts;
    this.#streamFolder = streamFolder;
    const { to, key, videoId, quiet, title } = command;
    this.#api = createApiClient({ baseUrl: to, key });
    this.#progress = startProgress({
      label: videoId,
      quiet,
      backlog: () => this.#uploads.backlog,
    });
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
      const source = await openSource(this.#command, this.#tools.ffmpeg);
      if (!source.live) this.#link = this.#openLink(FILE_RETRY_MS);
      if (source.live) await this.#resumeSessions(undefined);
      await this.#captureAll(source);
      const drained = await this.#drain();
      if (drained) await this.#end();
      return this.#exitCode();
    } catch (error) {
      return this.#explain(error);
    } finally {
      this.#progress.stop();
    }
  }

  /** Aborted when no more is to be captured. */
  get #captureStop(): AbortSignal {
    return AbortSignal.any([this.#interrupts.finish, this.#failed.signal]);
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

  /** Uploads what earlier runs left, but for one that is resumed, before anything else. */
  async #resumeSessions(resumed: string | undefined): Promise<void> {
    for (const info of await findSessions(this.#streamFolder)) {
      this.#newestSessionMs = Math.max(this.#newestSessionMs, info.createdAtMs);
      if (info.session === resumed) continue;
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

  async #captureAll(source: Source): Promise<void> {
    const wait = new SourceWait({
      name: source.name,
      listens: source.listens,
      warn: (text) => this.#progress.warn(text),
    });
    const failure = await captureUntilEnd({
      restartable: source.restartable,
      durationSeconds: this.#command.durationSeconds,
      stop: this.#captureStop,
      wait,
      connect: (remainingSeconds) => this.#connect(source, remainingSeconds, wait),
    });
    this.#inputFailure = failure && `${source.name}: ${failure}`;
  }

  async #connect(source: Source, remainingSeconds: number, wait: SourceWait): Promise<Connection> {
    const stop = this.#captureStop;
    const leftMs = Math.min(LISTEN_MS, remainingSeconds * 1000);
    const startMs = source.listens ? Math.max(leftMs, START_MS) : START_MS;
    const options = { tools: this.#tools, stdin: process.stdin, startMs, signal: stop };
    const openedMs = performance.now();
    try {
      let opened = source;
      const plan = await Promise.race([
        planEncode(source, this.#command, options),
        aborted(stop).then(() => undefined),
      ]);
      if (!plan) return NOTHING;
      if (plan.isCamera) opened = { ...source, endless: true, restartable: !this.#command.once };
      this.#showPlan(opened, plan);
      if (!opened.live) await this.#resumeSessions(plan.resumableSession);
      const session = { remainingSeconds, openedMs, wait };
      const { restartable } = opened;
      return { ...(await this.#captureSession(opened, plan, session)), restartable };
    } catch (error) {
      if (error instanceof SourceAway) return { ...NOTHING, failure: error.message };
      throw error;
    }
  }

  async #captureSession(
    source: Source,
    plan: EncodePlan,
    {
      remainingSeconds,
      openedMs,
      wait,
    }: Readonly<{ remainingSeconds: number; openedMs: number; wait: SourceWait }>,
  ): Promise<Connection> {
    const { resumableSession } = plan;
    const startMs = source.live
      ? undefined
      : await startOfStream(this.#api, this.#link, this.#command);
    const isFile = resumableSession !== undefined;
    const info: SessionInfo = {
      session: resumableSession ?? sessionName(this.#command.session, this.#sessions + 1),
      createdAtMs: Math.max(Date.now(), this.#newestSessionMs + 1),
      ...(source.live && { isLive: true }),
      ...(startMs !== undefined && { countsFromStart: true }),
    };
    const clock = source.live ? new SessionClock() : new FileClock(startMs);
    const spool = new SessionSpool(this.#streamFolder, info);
    const waiting = await spool.open();
    const queue = this.#openQueue(spool, isFile ? 0 : undefined);
    for (const segment of waiting) queue.add(segment);
    if (isFile) this.#uploads.add(queue);
    const connection = await captureConnection({
      tools: this.#tools,
      source,
      plan,
      forcedCopy: this.#command.video === 'copy',
      remainingSeconds,
      openedMs,
      folder: spool.cutFolder,
      finish: this.#interrupts.finish,
      stopped: this.#stopped,
      onSegment: async ({ number, durationSeconds, path }) => {
        const beginMs = clock.beginOf(durationSeconds, Date.now());
        if (queue.has(number)) return;
        const endMs = beginMs && beginMs + 1000 * (durationSeconds ?? 0);
        queue.add(await spool.add(number, durationSeconds, path, endMs));
        if (source.live) await this.#keepWithinLimit();
        if (number > 0 || isFile) return;
        this.#sessions += 1;
        this.#newestSessionMs = info.createdAtMs;
        this.#uploads.add(queue);
        wait.arrived();
      },
      admit: async () => {
        if (source.live) return;
        while (isFull(queue) && !this.#captureStop.aborted) {
          await Promise.race([queue.changed(), aborted(this.#captureStop)]);
        }
      },
    });
    queue.close();
    if (connection.segments > 0) this.#segments = connection.segments;
    else if (!isFile) await spool.remove();
    return connection;
  }

  #openQueue(spool: SessionSpool, firstNumber: number | undefined): UploadQueue {
    return new UploadQueue({
      api: this.#api,
      link: this.#link,
      videoId: this.#command.videoId,
      spool,
      parallel: this.#command.parallel ?? PARALLEL[firstNumber === undefined ? 'live' : 'file'],
      firstNumber,
      ...defined({ sound: this.#command.sound }),
      onSent: (segment, receipt) => {
        this.#refusals.accepted();
        const { countsFromStart } = spool.info;
        this.#progress.sent(countsFromStart ? { sizeBytes: segment.sizeBytes } : segment, receipt);
      },
      onRefused: (warning, code) => this.#refusals.add(warning, code),
      onSuperseded: (session) =>
        this.#progress.warn(`The server began another run: it goes on as session ${session}.`),
    });
  }

  /** A live source does not wait: while the server is away for long, the oldest is given up. */
  async #keepWithinLimit(): Promise<void> {
    const { spoolLimitBytes } = this.#command;
    const dropped = await this.#uploads.trim(spoolLimitBytes);
    if (dropped.length === 0) return;
    this.#dropped += dropped.length;
    const sinceMs = performance.now() - this.#toldOfDroppedMs;
    if (sinceMs < TELL_OF_DROPPED_MS) return;
    this.#toldOfDroppedMs = performance.now();
    this.#progress.warn(
      `The spool is full (--spool-limit, ${(spoolLimitBytes / 1e6).toFixed(1)} MB in ${this.#streamFolder}): ` +
        `the oldest segments are dropped, ${this.#dropped} so far.`,
    );
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
    const { videoId, sound } = this.#command;
    if (this.#segments === 0 || this.#progress.segments === 0) return;
    try {
      await this.#link.call((signal) => this.#api.endStream(videoId, { signal }, sound));
    } catch (error) {
      throw error instanceof ApiError
        ? new GaveUp(`The stream could not be ended: ${error.message}`)
        : judge(error);
    }
    const what = sound ? `${videoId}, ${sound.lang}` : videoId;
    this.#progress.info(`${what}: ${this.#segments} segments, ended.`);
  }

  #exitCode(): number {
    this.#warnOfRest();
    if (this.#interrupts.finish.aborted) return this.#interrupts.exitCode();
    if (this.#inputFailure !== undefined) this.#progress.warn(this.#inputFailure);
    return this.#inputFailure === undefined && this.#refusals.count === 0 && this.#segments > 0
      ? 0
      : 2;
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
    this.#refusals.summarize();
    const { segments, seconds } = this.#uploads.backlog;
    if (segments === 0) return;
    this.#progress.warn(
      `${segments} segments (${seconds.toFixed(1)} s) wait in ${this.#streamFolder}: run the encoder again to send them.`,
    );
  }

  #showPlan({ name, kind }: Source, { copies, segmentSeconds }: EncodePlan): void {
    const { to, videoId } = this.#command;
    const how = copies ? 'copied' : 'encoded';
    const text = `${name} (${kind}, ${how}, ${segmentSeconds} s segments) → ${to}/upload/${videoId}`;
    if (text !== this.#shownPlan) this.#progress.info(text);
    this.#shownPlan = text;
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
