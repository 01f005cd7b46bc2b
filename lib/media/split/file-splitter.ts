/** A whole file in the thread that reads it, within limits of time and memory. */

import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { DomainError } from '../../domain/errors.ts';
import type { ParsedCaptions } from '../captions/parse-captions.ts';
import type { SourceFile } from './source-file.ts';
import type {
  Answer,
  InspectedSegment,
  OpenedFile,
  Question,
  Reply,
  Request,
} from './split-thread.ts';
import type { SplitOptions } from './splitter.ts';

/** As source beside this file; bundles have both as `.mjs`, in one folder. */
const MODULE = new URL(`./split-thread${extname(import.meta.url)}`, import.meta.url);

const MB = 1 << 20;
/** A table of ten hours, and a segment with all its packets, twice. */
const MAX_MEMORY_BYTES = 1536 * MB;
const HARD_LIMITS = { maxOldGenerationSizeMb: 2048 };
const WATCH_MS = 200;
/** Of the processor, for one answer. */
const MAX_WORK_MS = 60_000;

export class FileSplitter {
  readonly #worker = new Worker(MODULE, { resourceLimits: HARD_LIMITS });
  readonly #file: SourceFile;
  /** The streams of what ffmpeg encoded, of which the last one is read. */
  readonly #streams: AsyncIterator<Uint8Array>[] = [];
  #settle: ((answer: Answer | Error) => void) | undefined;
  #failure: Error | undefined;
  /** Of the thread, which is gone since. */
  #fault: Error | undefined;

  /** Starts the thread at once; `close` ends it. */
  constructor(file: SourceFile) {
    this.#file = file;
    this.#worker.on('message', (message: Answer | Request) => {
      if (message.type === 'read' || message.type === 'pull') void this.#serve(message);
      else this.#settle?.(message);
    });
    this.#worker.on('error', (error) => this.#settle?.(error));
    this.#worker.on('exit', () => this.#settle?.(new Error('The thread ended.')));
  }

  /** Throws DomainError, and any other error when the file cannot be reached or the thread fails. */
  async open(): Promise<OpenedFile> {
    const answer = await this.#ask({ type: 'open', sizeBytes: this.#file.sizeBytes });
    if (answer.type !== 'opened') throw unexpected(answer);
    return answer.file;
  }

  /** From now on segments come of this stream: the file as ffmpeg has encoded it. Throws as `open`. */
  async openStream(stream: Readable): Promise<OpenedFile> {
    const count = this.#streams.push(stream[Symbol.asyncIterator]());
    const answer = await this.#ask({ type: 'openStream', stream: count - 1 });
    if (answer.type !== 'opened') throw unexpected(answer);
    return answer.file;
  }

  /** `keyframes`: they lie too far apart to cut at them. Throws as `open`. */
  async next(
    options?: Omit<SplitOptions, 'damage'>,
  ): Promise<InspectedSegment | 'keyframes' | Readonly<{ damage?: string }>> {
    const answer = await this.#ask({ type: 'next', ...(options && { options }) });
    if (answer.type === 'segment') return answer.segment;
    if (answer.type === 'keyframes') return 'keyframes';
    if (answer.type === 'end') return answer;
    throw unexpected(answer);
  }

  /** Throws `bad_captions` and `empty_body`, and as `open`. */
  async parseCaptions(bytes: Uint8Array): Promise<ParsedCaptions> {
    const answer = await this.#ask({ type: 'parseCaptions', bytes });
    if (answer.type !== 'captions') throw unexpected(answer);
    return answer.captions;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(question: Question): Promise<Answer> {
    if (this.#fault) throw this.#fault;
    this.#failure = undefined;
    const startMs = this.#spentMs();
    const watch = setInterval(() => this.#check(startMs), WATCH_MS);
    const answer = await new Promise<Answer | Error>((resolve) => {
      this.#settle = resolve;
      this.#worker.postMessage(question);
    });
    clearInterval(watch);
    // What kept the file from being read says more than what the demuxer made of it.
    if (this.#failure) throw this.#failure;
    if (!(answer instanceof Error)) {
      if (answer.type === 'refused') {
        throw new DomainError(answer.code, answer.message, answer.hint);
      }
      return answer;
    }
    void this.close();
    const { code } = answer as NodeJS.ErrnoException;
    this.#fault = code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuchMemory() : answer;
    throw this.#fault;
  }

  async #serve(request: Request): Promise<void> {
    const reply = (bytes?: Uint8Array): void => {
      const own = bytes && new Uint8Array(bytes);
      const message: Reply = { type: 'bytes', id: request.id, ...(own && { bytes: own }) };
      this.#worker.postMessage(message, own ? [own.buffer as ArrayBuffer] : []);
    };
    try {
      if (request.type === 'read') reply(await this.#file.read(request.start, request.end));
      else reply((await this.#streams[request.stream]?.next())?.value);
    } catch (error) {
      // Of one that another has taken the place of, nothing is waited for.
      const isOver = request.type === 'pull' && request.stream < this.#streams.length - 1;
      if (!isOver) this.#failure = error as Error;
      this.#worker.postMessage({ type: 'bytes', id: request.id, error: String(error) } as Reply);
    }
  }

  async #check(startMs: Promise<number>): Promise<void> {
    const settle = this.#settle;
    const [fromMs, nowMs, heap] = await Promise.all([
      startMs,
      this.#spentMs(),
      this.#worker.getHeapStatistics().catch(() => undefined),
    ]);
    // By now another answer may be waited for.
    if (this.#settle !== settle) return;
    const usedBytes = heap ? heap.used_heap_size + heap.external_memory : 0;
    if (usedBytes > MAX_MEMORY_BYTES) settle?.(tooMuchMemory());
    else if (nowMs - fromMs >= MAX_WORK_MS) settle?.(tooSlow());
  }

  /** What the thread has had of the processor; it waits for bytes without using any. */
  async #spentMs(): Promise<number> {
    if (!this.#worker.cpuUsage) return performance.now();
    const used = await this.#worker.cpuUsage().catch(() => undefined);
    return used ? (used.user + used.system) / 1000 : 0;
  }
}

const HINT = 'It is damaged, or unlike what we know: play it to see, and export it anew.';

const tooSlow = (): DomainError =>
  new DomainError('undecodable', `A part of the file took ${MAX_WORK_MS / 1000} s to read.`, HINT);

const tooMuchMemory = (): DomainError =>
  new DomainError(
    'undecodable',
    `The file cannot be read within ${MAX_MEMORY_BYTES / MB} MB of memory.`,
    HINT,
  );

const unexpected = (answer: Answer): Error =>
  new Error(answer.type === 'fault' ? answer.message : `Unexpected: ${answer.type}`);
