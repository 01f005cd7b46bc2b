/** The uploads of a stream's sessions. */

import { readFile } from 'node:fs/promises';
import type { Receipt } from '../api/messages.ts';
import { type Destination, deliverSegment, Refused } from './delivery.ts';
import type { SessionSpool, SpooledSegment } from './session-spool.ts';

export type UploadQueueOptions = Destination &
  Readonly<{
    spool: SessionSpool;
    parallel: number;
    /** Nothing is sent before this number, if given. */
    firstNumber?: number | undefined;
    onSent(segment: SpooledSegment, receipt: Receipt): void;
    onRefused(warning: string): void;
  }>;

type Backlog = Readonly<{ segments: number; bytes: number; seconds: number }>;

/** The most that a receipt names: of numbers above the last of so many it says nothing. */
const MAX_MISSING = 100;

type Knowledge = Readonly<{
  atMs: number;
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
  #begun = false;
  #closed = false;
  #failure: unknown;
  #changed = Promise.withResolvers<void>();

  constructor(options: UploadQueueOptions) {
    this.#options = options;
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
    const tooEarly = !this.#begun && !this.#closed && firstNumber !== undefined;
    return tooEarly && lowest && lowest.number > firstNumber ? undefined : lowest;
  }

  async #send(segment: SpooledSegment): Promise<void> {
    const { spool, onSent } = this.#options;
    const { number, durationSeconds } = segment;
    const startedMs = Date.now();
    try {
      if (this.#serverHas(number)) return await this.#complete(segment);
      const info = { segment: number, session: spool.info.session, durationSeconds };
      const receipt = await deliverSegment(this.#options, info, await readFile(segment.path));
      this.#begun = true;
      await this.#complete(segment);
      onSent(segment, receipt);
      await this.#learn(receipt, startedMs);
    } catch (error) {
      await this.#failed(segment, error);
    } finally {
      this.#inFlight.delete(number);
      this.#wake();
    }
  }

  async #failed(segment: SpooledSegment, error: unknown): Promise<void> {
    try {
      if (!(error instanceof Refused)) throw error;
      // A conflict means that the run exists.
      if (error.reason.status === 409) this.#begun = true;
      const warning = await this.spool.reject(segment, error.reason);
      this.#leave(segment);
      this.#options.onRefused(warning);
    } catch (failure) {
      this.#failure ??= failure;
    }
  }

  async #complete(segment: SpooledSegment): Promise<void> {
    await this.#options.spool.markSent(segment);
    this.#leave(segment);
  }

  #leave({ number }: SpooledSegment): void {
    this.#waiting.delete(number);
    this.#completedAtMs.set(number, Date.now());
  }

  /** Sends again what the receipt reports as missing, unless it was sent after the question. */
  async #learn(receipt: Receipt, askedAtMs: number): Promise<void> {
    const { missing, next, serverTime } = receipt;
    this.#lowestReceived = Math.min(this.#lowestReceived, receipt.segment);
    const atMs = Date.parse(serverTime);
    if (this.#server && atMs < this.#server.atMs) return;
    const certainBelow = missing.length < MAX_MISSING ? next : Math.max(...missing) + 1;
    this.#server = { atMs, next, missing: new Set(missing), certainBelow };
    for (const number of missing) {
      const completedAtMs = this.#completedAtMs.get(number) ?? 0;
      if (this.#waiting.has(number) || completedAtMs >= askedAtMs) continue;
      const segment = await this.spool.recall(number);
      if (!segment) continue;
      this.#completedAtMs.delete(number);
      this.add(segment);
    }
  }

  #serverHas(number: number): boolean {
    const known = this.#server;
    if (!known || number < this.#lowestReceived) return false;
    return number < known.certainBelow && !known.missing.has(number);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
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
