/** Sends segments in order, one at a time, for as long as it takes. */

import { ApiError } from '../../lib/api/client.ts';
import type { Receipt } from '../../lib/api/messages.ts';
import type { SegmentStore, SpooledSegment } from './segment-store.ts';
import { UploadSchedule } from './upload-schedule.ts';

/** `sending`: nothing is wrong. `waiting`: the server is out of reach, it is tried again. `refused`: only people can help. */
export type LineState = 'sending' | 'waiting' | 'refused';

export type UploaderOptions = Readonly<{
  store: SegmentStore;
  upload(
    segment: SpooledSegment,
    session: string,
    atMs: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<Receipt>;
  /** Ends early when `wake` is called. */
  pause(ms: number): Promise<void>;
  now(): number;
  onChange(): void;
}>;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8000;

/** Clocks that are no further apart may not differ at all: an answer takes its time. */
const MAX_SKEW_MS = 5000;

/** By so many other broadcasts in a row one may be superseded: more are another encoder that sends on. */
const MAX_SUPERSEDED = 3;

export class Uploader {
  readonly #options: UploaderOptions;
  readonly #schedule = new UploadSchedule();
  /** Names on the server of sessions that another has followed meanwhile. */
  readonly #renewed = new Map<string, string>();
  #state: LineState = 'sending';
  #problem: ApiError | undefined;
  #lost = 0;
  #sentBytes = 0;
  #supersededInARow = 0;
  #skewMs = 0;
  #isRunning = false;
  #idle = Promise.withResolvers<void>();

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#idle.resolve();
  }

  get backlog(): UploadSchedule['backlog'] {
    return this.#schedule.backlog;
  }

  get state(): LineState {
    return this.#state;
  }

  /** What the server, or the way to it, answered last, if that was no receipt. */
  get problem(): ApiError | undefined {
    return this.#problem;
  }

  /** Segments that the server refused for good, or for which there was no room. */
  get lost(): number {
    return this.#lost;
  }

  /** Acknowledged so far. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Takes over what earlier pages left. */
  async recover(): Promise<void> {
    this.#schedule.addFirst(await this.#options.store.list());
    this.#start();
  }

  /** Keeps the segment, and sends it when it is its turn. Where nothing more fits, the oldest goes. */
  async add(segment: SpooledSegment, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (;;) {
      try {
        await this.#options.store.store(segment, bytes);
        break;
      } catch {
        const [oldest] = [...this.#schedule.forgetAcknowledged(), this.#schedule.next].filter(
          (one) => one !== undefined,
        );
        if (!oldest) {
          this.#lost += 1;
          return;
        }
        if (oldest === this.#schedule.next) this.#lost += 1;
        await this.#discard(oldest);
      }
    }
    this.#schedule.add(segment);
    this.#start();
  }

  /** After a `refused`: with a new key, or because the other encoder was stopped. */
  resume(): void {
    this.#supersededInARow = 0;
    if (this.#state === 'refused') this.#state = 'sending';
    this.#start();
  }

  /** Resolves when nothing waits any more (true), or only people can help (false). */
  async settled(): Promise<boolean> {
    while (this.#isRunning) await this.#idle.promise;
    if (this.#schedule.next) return false;
    for (const segment of this.#schedule.forgetAcknowledged()) await this.#remove(segment);
    return true;
  }

  #start(): void {
    this.#options.onChange();
    if (this.#isRunning || this.#state === 'refused') return;
    this.#isRunning = true;
    this.#idle = Promise.withResolvers();
    void this.#run().finally(() => {
      this.#isRunning = false;
      this.#idle.resolve();
      this.#options.onChange();
      // Something came between the last look and now.
      if (this.#schedule.next && this.#state !== 'refused') this.#start();
    });
  }

  async #run(): Promise<void> {
    let failures = 0;
    for (let next = this.#schedule.next; next; next = this.#schedule.next) {
      try {
        await this.#send(next);
        failures = 0;
      } catch (error) {
        failures += 1;
        const waitMs = await this.#failed(next, error, failures);
        if (this.#state === 'refused') return;
        this.#options.onChange();
        if (waitMs > 0) await this.#options.pause(waitMs);
      }
    }
  }

  async #send(segment: SpooledSegment): Promise<void> {
    const bytes = await this.#options.store.read(segment);
    if (!bytes) {
      // Another tab has sent it, or the browser has taken its place back.
      this.#schedule.drop(segment);
      return;
    }
    const session = this.#renewed.get(segment.session) ?? segment.session;
    const atMs = segment.atMs + this.#skewMs;
    const receipt = await this.#options.upload(segment, session, atMs, bytes);
    const skewMs = Date.parse(receipt.serverTime) - this.#options.now();
    this.#skewMs = Math.abs(skewMs) > MAX_SKEW_MS ? skewMs : 0;
    this.#sentBytes += bytes.length;
    this.#supersededInARow = 0;
    this.#state = 'sending';
    this.#problem = undefined;
    const { removable } = this.#schedule.received(segment, receipt);
    this.#options.onChange();
    for (const one of removable) await this.#remove(one);
  }

  /** Returns how long to wait before the next attempt. */
  async #failed(segment: SpooledSegment, error: unknown, failures: number): Promise<number> {
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
    if (!(error instanceof ApiError) || error.retryable) {
      this.#problem = error instanceof ApiError ? error : undefined;
      this.#state = 'waiting';
      return Math.max(waitMs, this.#problem?.retryAfterMs ?? 0);
    }
    this.#problem = error;
    if (error.status === 401 || error.status === 403) {
      this.#state = 'refused';
    } else if (error.code === 'run_superseded') {
      this.#supersededInARow += 1;
      if (this.#supersededInARow > MAX_SUPERSEDED) this.#state = 'refused';
      else this.#renew(segment.session);
      return waitMs;
    } else {
      this.#lost += 1;
      await this.#discard(segment);
    }
    return 0;
  }

  /** `a`, `a.r2`, `a.r3`: what is left goes on as another run. */
  #renew(session: string): void {
    const name = this.#renewed.get(session) ?? session;
    const count = Number(name.slice(session.length).replace('.r', '')) || 1;
    this.#renewed.set(session, `${session}.r${count + 1}`);
  }

  async #discard(segment: SpooledSegment): Promise<void> {
    this.#schedule.drop(segment);
    await this.#remove(segment);
  }

  /** What cannot be removed is sent once more by the next page, which changes nothing. */
  async #remove(segment: SpooledSegment): Promise<void> {
    await this.#options.store.remove(segment).catch(() => undefined);
  }
}
