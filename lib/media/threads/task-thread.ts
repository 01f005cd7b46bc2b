/** One worker thread that does tasks on foreign bytes, within limits of time and memory. */

import { Worker } from 'node:worker_threads';
import { DomainError } from '../../domain/errors.ts';
import { copyBytes, type TaskCall, type TaskReply } from './tasks.ts';

export type TaskLimits = Readonly<{
  /** Without the time in which a busy machine does other things. */
  timeMs: number;
  memoryBytes: number;
}>;

/** What a task threw that is no DomainError: a fault of ours, or bytes that nobody foresaw. */
export class TaskFault extends Error {
  override readonly name = 'TaskFault';
}

const MB = 1 << 20;

/**
 * V8 may end the whole process at its own limit instead of the thread, if one allocation goes far
 * beyond it. So the thread is ended from outside, far below.
 */
const HARD_LIMITS = { maxOldGenerationSizeMb: 2048 };
const WATCH_INTERVAL_MS = 50;
/** A task that has not had its time of the processor after so many times that is to be tried again. */
const PATIENCE = 8;
const START_TIMEOUT_MS = 60_000;

export class TaskThread {
  readonly #worker: Worker;
  /** It takes tasks. Rejects when it cannot be started. */
  readonly ready: Promise<void>;
  #settle: ((reply: TaskReply | Error) => void) | undefined;
  #isGone = false;

  /** Starts at once. `module` calls `serveTasks`. */
  constructor(module: URL) {
    this.#worker = new Worker(module, { resourceLimits: HARD_LIMITS });
    this.#worker.on('message', (reply: TaskReply) => this.#settle?.(reply));
    this.#worker.on('error', (error) => this.#settle?.(error));
    this.#worker.on('exit', () => {
      this.#isGone = true;
      this.#settle?.(new Error('The thread ended.'));
    });
    this.ready = this.#reply(START_TIMEOUT_MS, tooBusy()).then((reply) => {
      if (reply instanceof Error) throw new Error('A thread cannot be started.', { cause: reply });
      // Only a task keeps the process from ending, by its timer.
      this.#worker.unref();
    });
    this.ready.catch(() => this.end());
  }

  /** Ended by itself, or by `end`: it takes no more tasks. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * One task at a time. Throws what the task throws: DomainErrors as they are, TaskFault for all
   * others; `undecodable` beyond a limit, and `unavailable` when the machine is too busy, after which
   * the thread is gone. Any other error: the thread cannot be started.
   */
  async run({ name, args }: TaskCall, limits: TaskLimits): Promise<unknown> {
    await this.ready;
    const [copied, copies] = copyBytes(args);
    const startMs = this.#spentMs();
    this.#worker.postMessage({ name, args: copied }, copies);
    const watch = setInterval(() => this.#check(limits, startMs), WATCH_INTERVAL_MS);
    const reply = await this.#reply(PATIENCE * limits.timeMs, tooBusy());
    clearInterval(watch);
    if (!(reply instanceof Error)) return resultOf(reply);
    this.end();
    const { code } = reply as NodeJS.ErrnoException;
    if (reply instanceof DomainError) throw reply;
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') throw tooMuchMemory(limits.memoryBytes);
    throw new TaskFault(reply.message, { cause: reply });
  }

  /** Whatever it is doing. */
  end(): void {
    this.#isGone = true;
    void this.#worker.terminate();
  }

  /** The thread's next message; an Error when there will be none, `late` after the time. */
  #reply(timeMs: number, late: Error): Promise<TaskReply | Error> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle?.(late), timeMs);
      this.#settle = (reply) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(reply);
      };
    });
  }

  /** Asks the thread, which answers even while it spins; not when it is ending. */
  async #check({ timeMs, memoryBytes }: TaskLimits, startMs: Promise<number>): Promise<void> {
    const settle = this.#settle;
    const [fromMs, nowMs, heap] = await Promise.all([
      startMs,
      this.#spentMs(),
      this.#worker.getHeapStatistics().catch(() => undefined),
    ]);
    // By now another task may have begun.
    if (this.#settle !== settle) return;
    const usedBytes = heap ? heap.used_heap_size + heap.external_memory : 0;
    if (usedBytes > memoryBytes) settle?.(tooMuchMemory(memoryBytes));
    else if (nowMs - fromMs >= timeMs) settle?.(tooSlow(timeMs));
  }

  /**
   * What the thread has had of the processor, and has waited for nothing; the time that has passed where
   * Node.js does not tell. A parser that waits will never end: all its bytes are there.
   */
  async #spentMs(): Promise<number> {
    if (!this.#worker.cpuUsage) return performance.now();
    const used = await this.#worker.cpuUsage().catch(() => undefined);
    const { idle } = this.#worker.performance.eventLoopUtilization();
    return used ? (used.user + used.system) / 1000 + idle : 0;
  }
}

function resultOf(reply: TaskReply): unknown {
  if (reply.type === 'refused') throw new DomainError(reply.code, reply.message, reply.hint);
  if (reply.type === 'fault') throw new TaskFault(reply.stack);
  return reply.type === 'result' ? reply.result : undefined;
}

const HINT =
  'It is damaged, or far larger than a segment: play it with ffplay to see, and cut shorter segments.';

const tooSlow = (timeMs: number): DomainError =>
  new DomainError('undecodable', `The segment could not be read within ${timeMs / 1000} s.`, HINT);

const tooBusy = (): DomainError =>
  new DomainError(
    'unavailable',
    'The server is too busy to read the segment.',
    'Send it again in a second; if that happens often, give the server more processors.',
  );

const tooMuchMemory = (bytes: number): DomainError =>
  new DomainError(
    'undecodable',
    `The segment could not be read within ${Math.round(bytes / MB)} MB of memory.`,
    HINT,
  );
