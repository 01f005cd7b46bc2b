/**
 * A pool of threads for tasks on foreign bytes: whatever those do to a thread, the one that serves goes
 * on, and so do the tasks of others. Each task has a limit of time and of memory.
 */

import { availableParallelism } from 'node:os';
import { DomainError } from '../../domain/errors.ts';
import { TaskFault, type TaskLimits, TaskThread } from './task-thread.ts';
import { sizeOf, type TaskCall, type Tasks } from './tasks.ts';

export type ThreadPoolOptions = Readonly<{
  /** Calls `serveTasks`. */
  module: URL;
  /** Told of what a task threw that is no DomainError. */
  report: (error: unknown, what: string) => void;
  threads?: number;
  limits?: (sizeBytes: number) => TaskLimits;
  /** A task that has found no thread by then is to be tried again. */
  maxWaitMs?: number;
}>;

/** Two at least: while one spins to its deadline, others are served by the second. */
const DEFAULT_THREADS = Math.max(2, Math.min(4, availableParallelism()));

/** With the longest wait, a request's body is answered within five seconds. */
const DEFAULT_MAX_WAIT_MS = 1500;
const MIN_TIME_MS = 3000;
/** Bodies of presigned uploads have up to 512 MB. */
const TIME_MS_PER_MB = 50;
const MIN_MEMORY_BYTES = 256 << 20;
/** The bytes themselves, and the packets that are joined of them, twice. */
const MEMORY_PER_BYTE = 3;

/** Idle threads end after it, but for the last. */
const IDLE_MS = 30_000;

const defaultLimits = (sizeBytes: number): TaskLimits => ({
  timeMs: Math.max(MIN_TIME_MS, Math.round((sizeBytes / 1e6) * TIME_MS_PER_MB)),
  memoryBytes: MIN_MEMORY_BYTES + MEMORY_PER_BYTE * sizeBytes,
});

type Waiting = Readonly<{ group: string; begin: () => void }>;
type Idle = Readonly<{ thread: TaskThread; timer: NodeJS.Timeout }>;

/** What steps need of a pool. */
export type TaskRunner<T extends Tasks> = Pick<ThreadPool<T>, 'run'>;

export class ThreadPool<T extends Tasks> {
  readonly #options: Required<ThreadPoolOptions>;
  /** Of one group: the others are for those who come meanwhile. */
  readonly #maxOfGroup: number;
  readonly #running = new Map<string, number>();
  readonly #waiting: Waiting[] = [];
  readonly #idle: Idle[] = [];
  /** Resolved when the first thread takes tasks, or could not be started. */
  readonly #warm = Promise.withResolvers<void>();
  #busy = 0;

  /** Threads start when they are needed. */
  constructor(options: ThreadPoolOptions) {
    this.#options = {
      threads: DEFAULT_THREADS,
      limits: defaultLimits,
      maxWaitMs: DEFAULT_MAX_WAIT_MS,
      ...options,
    };
    this.#maxOfGroup = Math.max(1, this.#options.threads >> 1);
  }

  /** Starts a thread that waits for the first task. */
  warmUp(): void {
    if (this.#idle.length === 0) this.#rest(this.#start());
  }

  /**
   * `group`: whose task it is; a group has half of the threads at most. Throws the task's DomainErrors;
   * `undecodable` when a limit is exceeded or the task fails otherwise; `unavailable` when no thread
   * was free in time, or the machine is too busy.
   */
  async run<Name extends keyof T & string>(
    name: Name,
    group: string,
    args: Parameters<T[Name]>,
  ): Promise<Awaited<ReturnType<T[Name]>>> {
    await this.#turn(group);
    let thread: TaskThread | undefined;
    try {
      thread = this.#takeThread();
      const result = await this.#try(thread, { name, args });
      return result as Awaited<ReturnType<T[Name]>>;
    } finally {
      if (thread && !thread.isGone) this.#rest(thread);
      this.#count(group, -1);
      this.#admit();
    }
  }

  async #try(thread: TaskThread, call: TaskCall): Promise<unknown> {
    try {
      return await thread.run(call, this.#options.limits(sizeOf(call.args)));
    } catch (error) {
      if (!(error instanceof TaskFault)) throw error;
      this.#options.report(error, call.name);
      throw new DomainError(
        'undecodable',
        'The segment could not be read: its contents contradict each other.',
        'It is damaged, or unlike what we know: play it with ffplay to see. The log of the server says more.',
      );
    }
  }

  /** Resolves when a thread is free for the group; first come, first served among those that may. */
  #turn(group: string): Promise<void> {
    const { maxWaitMs } = this.#options;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(
          new DomainError(
            'unavailable',
            `Others are read before this segment; it has waited for ${maxWaitMs / 1000} s.`,
            'Try it again in a second.',
          ),
        );
      };
      let timer: NodeJS.Timeout | undefined;
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const waiting = { group, begin };
      this.#waiting.push(waiting);
      this.#admit();
      // Until then no task is what the others wait for.
      this.#warm.promise.then(() => {
        if (this.#waiting.includes(waiting)) timer = setTimeout(giveUp, maxWaitMs);
      });
    });
  }

  #admit(): void {
    while (this.#busy < this.#options.threads) {
      const isFree = ({ group }: Waiting) => (this.#running.get(group) ?? 0) < this.#maxOfGroup;
      const index = this.#waiting.findIndex(isFree);
      const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (!next) return;
      this.#count(next.group, 1);
      next.begin();
    }
  }

  #count(group: string, change: 1 | -1): void {
    this.#busy += change;
    const running = (this.#running.get(group) ?? 0) + change;
    if (running > 0) this.#running.set(group, running);
    else this.#running.delete(group);
  }

  #start(): TaskThread {
    const thread = new TaskThread(this.#options.module);
    thread.ready.then(this.#warm.resolve, this.#warm.resolve);
    return thread;
  }

  #takeThread(): TaskThread {
    for (;;) {
      const idle = this.#idle.pop();
      if (!idle) return this.#start();
      clearTimeout(idle.timer);
      if (!idle.thread.isGone) return idle.thread;
    }
  }

  #rest(thread: TaskThread): void {
    const end = () => {
      const index = this.#idle.findIndex((idle) => idle.thread === thread);
      if (this.#idle.length < 2) return;
      this.#idle.splice(index, 1);
      thread.end();
    };
    this.#idle.push({ thread, timer: setTimeout(end, IDLE_MS).unref() });
  }
}
