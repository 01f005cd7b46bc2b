/** What the terminal shows: one line that is updated in place, or a line every ten seconds. */

import type { Receipt } from '../api/messages.ts';

/** `seconds`: of media, where it is known. */
export type Backlog = Readonly<{ segments: number; seconds?: number }>;

/** A segment that was sent, or a file beside the segments. */
/** `spooledAtMs`: left out where it says nothing of a delay. */
export type SentItem = Readonly<{ sizeBytes: number; spooledAtMs?: number }>;

export type ProgressOptions = Readonly<{
  label: string;
  quiet: boolean;
  backlog(): Backlog;
  /** Standard error by default; `isTTY`: a line can be overwritten. */
  output?: Readonly<{ isTTY?: boolean; columns?: number; write(text: string): unknown }>;
  now?: () => number;
}>;

const TTY_INTERVAL_MS = 500;
const PLAIN_INTERVAL_MS = 10_000;
/** Rates are averages of so long. */
const WINDOW_MS = 15_000;

type Sent = Readonly<{ atMs: number; bytes: number; seconds: number }>;

export class Progress {
  readonly #options: ProgressOptions;
  readonly #output: NonNullable<ProgressOptions['output']>;
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #recent: Sent[] = [];
  #segments = 0;
  #delayMs: number | undefined;
  #clockOffsetMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lineShown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#output = options.output ?? process.stderr;
    this.#now = options.now ?? Date.now;
    this.#startedMs = this.#now();
    if (options.quiet) return;
    const interval = this.#output.isTTY ? TTY_INTERVAL_MS : PLAIN_INTERVAL_MS;
    this.#timer = setInterval(() => this.#show(), interval);
    this.#timer.unref();
  }

  get segments(): number {
    return this.#segments;
  }

  /** `receipt`: undefined for a file that is no segment. */
  sent({ sizeBytes, spooledAtMs }: SentItem, receipt: Receipt | undefined): void {
    const atMs = this.#now();
    this.#recent.push({ atMs, bytes: sizeBytes, seconds: (receipt?.durationMs ?? 0) / 1000 });
    if (!receipt) return;
    this.#segments += 1;
    this.#delayMs = spooledAtMs === undefined ? undefined : atMs - spooledAtMs;
    this.#clockOffsetMs = Date.parse(receipt.serverTime) - atMs;
  }

  /** Above the line; not printed when quiet. */
  info(text: string): void {
    if (!this.#options.quiet) this.warn(text);
  }

  /** Above the line, also when quiet. */
  warn(text: string): void {
    this.#clear();
    this.#output.write(`${text}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  /** `sent 12, waiting 3 (6.0 s), 4.1 Mbit/s, 1.00 × real time, delay 0.8 s, server clock +0.1 s`. */
  line(): string {
    const now = this.#now();
    while (this.#recent[0] && this.#recent[0].atMs < now - WINDOW_MS) this.#recent.shift();
    const spanSeconds = Math.max(1, Math.min(WINDOW_MS, now - this.#startedMs) / 1000);
    const bytes = this.#recent.reduce((sum, sent) => sum + sent.bytes, 0);
    const seconds = this.#recent.reduce((sum, sent) => sum + sent.seconds, 0);
    const backlog = this.#options.backlog();
    const waiting = backlog.seconds === undefined ? '' : ` (${backlog.seconds.toFixed(1)} s)`;
    const offsetMs = this.#clockOffsetMs;
    return [
      `${this.#options.label}: sent ${this.#segments}`,
      `waiting ${backlog.segments}${waiting}`,
      `${((bytes * 8) / spanSeconds / 1e6).toFixed(1)} Mbit/s`,
      `${(seconds / spanSeconds).toFixed(2)} × real time`,
      ...(this.#delayMs === undefined ? [] : [`delay ${(this.#delayMs / 1000).toFixed(1)} s`]),
      ...(offsetMs === undefined ? [] : [`server clock ${signed(offsetMs / 1000)} s`]),
    ].join(', ');
  }

  #show(): void {
    if (!this.#output.isTTY) {
      this.#output.write(`${this.line()}\n`);
      return;
    }
    const width = (this.#output.columns ?? 80) - 1;
    this.#output.write(`\r\u001b[K${this.line().slice(0, width)}`);
    this.#lineShown = true;
  }

  #clear(): void {
    if (this.#lineShown) this.#output.write('\r\u001b[K');
    this.#lineShown = false;
  }
}

const signed = (seconds: number): string =>
  `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(1)}`;
