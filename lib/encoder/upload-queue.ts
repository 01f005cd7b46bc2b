/** The uploads of a stream's sessions. */

import { readFile, rm } from 'node:fs/promises';
import type { SoundAlone } from '../api/client.ts';
import type { Receipt } from '../api/messages.ts';
import { type Destination, deliverSegment, Refused } from './delivery.ts';
import { GaveUp, retryDelayMs } from './server-link.ts';
import type { SessionSpool, SpooledSegment } from './session-spool.ts';

export type UploadQueueOptions = Destination &
  Readonly<{
    spool: SessionSpool;
    /** The segments are of a language that is sent alone. */
    sound?: SoundAlone;
    parallel: number;
    /** Nothing is sent before this number, if given. */
    firstNumber?: number | undefined;
    onSent(segment: SpooledSegment, receipt: Receipt): void;
    onRefused(warning: string, code: string): void;
    /** The server has begun another run after this one: what is left goes on under a new name. */
    onSuperseded(session: string): void;
  }>;

type Backlog = Readonly<{ segments: number; bytes: number; seconds: number }>;

/** The most that a receipt names: of numbers above the last of so many it says nothing. */
const MAX_MISSING = 100;

/** By so many other runs in a row a session may be superseded: more are another encoder's. */
const MAX_SUPERSEDED = 3;

/** The answer takes its time, too: a difference of the clocks that is no longer may be none. */
const MAX_SKEW_MS = 5000;

/** The session's name on the server, and which segment is its number 0 there. */
type Wire = Readonly<{ session: string; first: number }>;

type Knowledge = Readonly<{
  /** When it was asked for, by a clock that never jumps. */
  askedAtMs: number;
  next: number;
  missing: ReadonlySet<number>;
  certainBelow: number;
}>;

/**
 * The uploads of one session: lowest number first, several at once, after the first on its own: it opens the
 * run on the server, and its receipt names what the server already has.
 */
export class UploadQueue {
  readonly #options: UploadQueueOptions;
  readonly #waiting = new Map<number, SpooledSegment>();
  readonly #inFlight = new Set<number>();
  readonly #completedAtMs = new Map<number, number>();
  #server: Knowledge | undefined;
  /** Receipts may say nothing of what precedes the first segment that the server got. */
  #lowestReceived = Number.POSITIVE_INFINITY;
  #wire: Wire;
  #superseded = 0;
  /** How far the server's clock is ahead of ours, by the newest receipt. */
  #skewMs = 0;
  #sentSinceSuperseded = 0;
  #begun = false;
  #closed = false;
  #failure: unknown;
  #changed = Promise.withResolvers<void>();

  constructor(options: UploadQueueOptions) {
    this.#options = options;
    this.#wire = { session: options.spool.info.session, first: 0 };
  }

  get spool(): SessionSpool {
    return this.#options.spool;
  }

  get backlog(): Backlog {
    let bytes = 0;
    let seconds = 0;
    for (const segment of this.#waiting.values()) {
      bytes += segment.sizeBytes;
      seconds += segment.durationSeconds ?? 0;
    }
    return { segments: this.#waiting.size, bytes, seconds };
  }

  /** Whether this number need not be spooled: it waits, was sent, or the server has it. */
  has(number: number): boolean {
    return this.#waiting.has(number) || this.#completedAtMs.has(number) || this.#serverHas(number);
  }

  add(segment: SpooledSegment): void {
    this.#waiting.set(segment.number, segment);
    this.#wake();
  }

  /** The lowest number that waits, and is not being sent, is given up. undefined if there is none. */
  async dropOldest(): Promise<SpooledSegment | undefined> {
    const idle = [...this.#waiting.keys()].filter((number) => !this.#inFlight.has(number));
    const segment = this.#waiting.get(Math.min(...idle));
    if (!segment) return undefined;
    this.#leave(segment);
    await rm(segment.path, { force: true });
    this.#wake();
    return segment;
  }

  /** No more segments come. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Resolves at the next change of the backlog. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  /**
   * Sends until it is closed and empty. Throws `GaveUp`, or the reason of the link's signal; what was
   * not sent stays in the spool.
   */
  async run(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const change = this.#changed.promise;
      const segment = this.#next();
      if (segment) {
        this.#inFlight.add(segment.number);
        void this.#send(segment);
      } else if (this.#closed && this.#waiting.size === 0) return;
      else await change;
    }
  }

  #next(): SpooledSegment | undefined {
    if (this.#inFlight.size >= (this.#begun ? this.#options.parallel : 1)) return undefined;
    let lowest: SpooledSegment | undefined;
    for (const segment of this.#waiting.values()) {
      if (!this.#inFlight.has(segment.number) && segment.number < (lowest?.number ?? Infinity)) {
        lowest = segment;
      }
    }
    const { firstNumber } = this.#options;
    const tooEarly =
      !this.#begun && !this.#closed && firstNumber !== undefined && this.#superseded === 0;
    return tooEarly && lowest && lowest.number > firstNumber ? undefined : lowest;
  }

  async #send(segment: SpooledSegment): Promise<void> {
    const { onSent } = this.#options;
    const { number, durationSeconds } = segment;
    const askedAtMs = performance.now();
    const wire = this.#wire;
    try {
      if (this.#serverHas(number)) return await this.#complete(segment);
      const info = { segment: number - wire.first, session: wire.session, durationSeconds };
      const atMs = this.#beginOf(segment);
      const receipt = await deliverSegment(
        this.#options,
        { ...info, atMs, ...this.#options.sound },
        await readFile(segment.path),
      );
      this.#skewMs = Date.parse(receipt.serverTime) - Date.now();
      this.#begun = true;
      this.#sentSinceSuperseded += 1;
      await this.#complete(segment);
      onSent(segment, receipt);
      if (wire === this.#wire) await this.#learn(receipt, askedAtMs);
    } catch (error) {
      await this.#failed(segment, wire, error);
    } finally {
      this.#inFlight.delete(number);
      this.#wake();
    }
  }

  /** By the server's clock, where ours is not right. */
  #beginOf({ durationSeconds, spooledAtMs }: SpooledSegment): number | undefined {
    if (durationSeconds === undefined || !this.spool.info.isLive) return undefined;
    const skewMs = Math.abs(this.#skewMs) > MAX_SKEW_MS ? this.#skewMs : 0;
    return Math.round(spooledAtMs - 1000 * durationSeconds + skewMs);
  }

  async #failed(segment: SpooledSegment, wire: Wire, error: unknown): Promise<void> {
    try {
      if (!(error instanceof Refused)) throw error;
      if (error.reason.code === 'run_superseded') return await this.#renew(wire, error);
      // A conflict means that the run exists.
      if (error.reason.status === 409) this.#begun = true;
      const warning = await this.spool.reject(segment, error.reason);
      this.#leave(segment);
      this.#options.onRefused(warning, error.reason.code);
    } catch (failure) {
      this.#failure ??= failure;
    }
  }

  /** What waits goes on as a new session. Throws `GaveUp` when others supersede it again and again. */
  async #renew(wire: Wire, { reason }: Refused): Promise<void> {
    // Of two that were in progress at once the other has done it.
    if (wire !== this.#wire) return;
    if (this.#sentSinceSuperseded >= MAX_SUPERSEDED) this.#superseded = 0;
    this.#superseded += 1;
    this.#sentSinceSuperseded = 0;
    if (this.#superseded > MAX_SUPERSEDED) {
      throw new GaveUp(`Another encoder sends this stream: ${reason.message} Stop one of them.`);
    }
    const session = renewedName(wire.session);
    this.#wire = { session, first: Math.min(...this.#waiting.keys()) };
    this.#begun = false;
    this.#server = undefined;
    this.#lowestReceived = Number.POSITIVE_INFINITY;
    this.#options.onSuperseded(session);
    await this.#options.link.pause(retryDelayMs(this.#superseded));
  }

  async #complete(segment: SpooledSegment): Promise<void> {
    await this.#options.spool.markSent(segment);
    this.#leave(segment);
  }

  #leave({ number }: SpooledSegment): void {
    this.#waiting.delete(number);
    this.#completedAtMs.set(number, performance.now());
  }

  /** Sends again what the receipt reports as missing, unless it was sent after the question. */
  async #learn(receipt: Receipt, askedAtMs: number): Promise<void> {
    const { next } = receipt;
    this.#lowestReceived = Math.min(this.#lowestReceived, receipt.segment);
    // By our clock: the server's may be set back.
    if (this.#server && askedAtMs < this.#server.askedAtMs) return;
    const missing = receipt.missing;
    const certainBelow = missing.length < MAX_MISSING ? next : Math.max(...missing) + 1;
    this.#server = { askedAtMs, next, missing: new Set(missing), certainBelow };
    for (const number of missing.map((onServer) => onServer + this.#wire.first)) {
      const completedAtMs = this.#completedAtMs.get(number) ?? Number.NEGATIVE_INFINITY;
      if (this.#waiting.has(number) || completedAtMs >= askedAtMs) continue;
      const segment = await this.spool.recall(number);
      if (!segment) continue;
      this.#completedAtMs.delete(number);
      this.add(segment);
    }
  }

  #serverHas(number: number): boolean {
    const known = this.#server;
    const onServer = number - this.#wire.first;
    if (!known || onServer < this.#lowestReceived) return false;
    return onServer < known.certainBelow && !known.missing.has(onServer);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** `a`, `a.r2`, `a.r3`: of at most 128 characters, as the server wants it. */
function renewedName(session: string): string {
  const [, name = '', count = '1'] = session.match(/^(.*?)(?:\.r(\d+))?$/) ?? [];
  return `${name.slice(0, 120)}.r${Number(count) + 1}`;
}

/** Uploads the sessions of a stream one after the other: the server refuses an older one after a newer. */
export class SessionUploads {
  readonly #queues = new Set<UploadQueue>();
  readonly #onFailure: (error: unknown) => void;
  #last: Promise<void>;

  /** All uploads wait for `before`. */
  constructor(before: Promise<void>, onFailure: (error: unknown) => void) {
    this.#last = before;
    this.#onFailure = onFailure;
    before.catch(onFailure);
  }

  /** Its spool is removed when everything in it was sent or refused. */
  add(queue: UploadQueue): void {
    this.#queues.add(queue);
    this.#last = this.#last.then(async () => {
      await queue.run();
      await queue.spool.remove();
      this.#queues.delete(queue);
    });
    this.#last.catch(this.#onFailure);
  }

  /** Gives up the oldest that wait until `maxBytes` are left. Returns what was given up. */
  async trim(maxBytes: number): Promise<readonly SpooledSegment[]> {
    const dropped: SpooledSegment[] = [];
    let { bytes } = this.backlog;
    for (const queue of this.#queues) {
      while (bytes > maxBytes) {
        const segment = await queue.dropOldest();
        if (!segment) break;
        bytes -= segment.sizeBytes;
        dropped.push(segment);
      }
    }
    return dropped;
  }

  /** Resolves when all queues that were added are closed and empty. */
  done(): Promise<void> {
    return this.#last;
  }

  get backlog(): Backlog {
    let [segments, bytes, seconds] = [0, 0, 0];
    for (const { backlog } of this.#queues) {
      segments += backlog.segments;
      bytes += backlog.bytes;
      seconds += backlog.seconds;
    }
    return { segments, bytes, seconds };
  }
}
