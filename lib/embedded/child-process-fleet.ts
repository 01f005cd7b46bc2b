/** The worker fleet on child processes: keeps the desired number running. */

import { type ChildProcess, fork } from 'node:child_process';
import { type Backoff, backoffMs } from '../base/retry.ts';
import type { ScalableFleet } from '../ports/ports.ts';

export type WorkerExit = Readonly<{
  /** The worker's process id, which is also the owner of its leases. */
  owner: string;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Absent if it was asked to stop. */
  restartInMs?: number;
}>;

export type ChildProcessFleetOptions = Readonly<{
  /** Path of the worker's module. */
  module: string;
  env: Readonly<Record<string, string | undefined>>;
  /** For a worker that is asked to stop (SIGTERM) to finish; then it is killed. */
  graceMs: number;
  /** Jobs that a worker has: when there are too many workers, those with the fewest go. */
  jobsOf?: (owner: string) => number;
  /** Called for every worker that has ended, crashed or not. */
  onExit: (exit: WorkerExit) => void;
  /** Before a crashed worker is replaced; work may wait meanwhile, so it is short. */
  backoff?: Backoff;
  /** A worker that ran this long was healthy: its crash counts as the first in a row. */
  healthyMs?: number;
}>;

const EXIT_WITH_PARENT = new URL('./exit-with-parent.ts', import.meta.url).href;
const DEFAULTS = {
  jobsOf: () => 0,
  backoff: { firstMs: 250, maxMs: 2_000 },
  healthyMs: 5_000,
};

export class ChildProcessFleet implements ScalableFleet {
  readonly type = 'scalable';
  readonly #options: Required<ChildProcessFleetOptions>;
  readonly #workers = new Set<ChildProcess>();
  /** They finish what they do; another one may be started in their place. */
  readonly #leaving = new Set<ChildProcess>();
  readonly #restartTimers = new Set<NodeJS.Timeout>();
  #desired = 0;
  #crashesInARow = 0;
  #restarts = 0;
  #stopping = false;

  constructor(options: ChildProcessFleetOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  async count(): Promise<Readonly<{ desired: number; running: number }>> {
    return { desired: this.#desired, running: this.#workers.size };
  }

  /** Replaces crashed workers at once, whatever their backoff. */
  async scaleTo(count: number): Promise<void> {
    if (this.#stopping) return;
    this.#desired = count;
    for (const timer of this.#restartTimers) this.#forget(timer);
    while (this.#workers.size < count) this.#start();
    for (const worker of this.#leastBusy(this.#workers.size - count)) this.#dismiss(worker);
  }

  /** How many workers that ended by themselves were started again. */
  get restarts(): number {
    return this.#restarts;
  }

  get pids(): number[] {
    return [...this.#workers].flatMap(({ pid }) => pid ?? []);
  }

  /** Stops all workers, for good, and waits until they have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#desired = 0;
    for (const timer of this.#restartTimers) this.#forget(timer);
    const ended = Promise.all([...this.#workers, ...this.#leaving].map(exited));
    for (const worker of this.#workers) this.#dismiss(worker);
    await ended;
  }

  #leastBusy(count: number): ChildProcess[] {
    if (count <= 0) return [];
    const { jobsOf } = this.#options;
    return [...this.#workers]
      .map((worker) => ({ worker, jobs: jobsOf(String(worker.pid)) }))
      .sort((a, b) => a.jobs - b.jobs)
      .slice(0, count)
      .map(({ worker }) => worker);
  }

  #dismiss(worker: ChildProcess): void {
    this.#workers.delete(worker);
    this.#leaving.add(worker);
    worker.kill('SIGTERM');
    const timer = setTimeout(() => worker.kill('SIGKILL'), this.#options.graceMs);
    worker.once('exit', () => clearTimeout(timer));
  }

  #start(): void {
    const { module, env, healthyMs } = this.#options;
    const execArgv = [...process.execArgv, '--import', EXIT_WITH_PARENT];
    // A process group of its own: Ctrl-C in a terminal is for the engine, which then stops its workers.
    const worker = fork(module, { env: { ...env }, execArgv, detached: true });
    const startedAtMs = performance.now();
    let isOver = false;
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      if (isOver) return;
      isOver = true;
      const wasToStay = this.#workers.delete(worker);
      this.#leaving.delete(worker);
      if (performance.now() - startedAtMs >= healthyMs) this.#crashesInARow = 0;
      const restart = wasToStay ? { restartInMs: this.#restart() } : {};
      this.#options.onExit({ owner: String(worker.pid), code, signal, ...restart });
    };
    this.#workers.add(worker);
    worker.on('exit', end);
    // A process that could not be started at all never exits.
    worker.on('error', () => {
      if (worker.pid === undefined) end(null, null);
    });
  }

  #restart(): number {
    this.#crashesInARow += 1;
    const restartInMs = backoffMs(this.#crashesInARow, this.#options.backoff);
    const timer = setTimeout(() => {
      this.#restartTimers.delete(timer);
      this.#restarts += 1;
      this.#start();
    }, restartInMs);
    this.#restartTimers.add(timer);
    return restartInMs;
  }

  #forget(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#restartTimers.delete(timer);
  }
}

const exited = (worker: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    const { pid, exitCode, signalCode } = worker;
    if (pid === undefined || exitCode !== null || signalCode !== null) resolve();
    else worker.once('exit', () => resolve());
  });
