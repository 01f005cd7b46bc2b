/** The worker fleet on child processes: keeps as many running as were asked for. */

import { type ChildProcess, fork } from 'node:child_process';
import type { ScalableFleet } from '../ports/ports.ts';

export type WorkerExit = Readonly<{
  /** The worker's process id, which is also the owner of its leases. */
  owner: string;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Absent if it was told to go. */
  restartInMs?: number;
}>;

export type ChildProcessFleetOptions = Readonly<{
  /** Path of the worker's module. */
  module: string;
  env: Readonly<Record<string, string | undefined>>;
  /** For a worker that is told to go (SIGTERM) to finish; then it is killed. */
  graceMs: number;
  /** Jobs that a worker has: when there are too many workers, those with the fewest go. */
  jobsOf?: (owner: string) => number;
  /** Called for every worker that has ended, crashed or not. */
  onExit: (exit: WorkerExit) => void;
  firstBackoffMs?: number;
  maxBackoffMs?: number;
}>;

const EXIT_WITH_PARENT = new URL('./exit-with-parent.ts', import.meta.url).href;
/** A worker that ran so long was well: its next crash is the first again. */
const HEALTHY_MS = 60_000;

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
    this.#options = { jobsOf: () => 0, firstBackoffMs: 250, maxBackoffMs: 30_000, ...options };
  }

  async count(): Promise<Readonly<{ desired: number; running: number }>> {
    return { desired: this.#desired, running: this.#workers.size };
  }

  async scaleTo(count: number): Promise<void> {
    if (this.#stopping) return;
    this.#desired = count;
    const crashed = Math.max(0, count - this.#workers.size);
    for (const timer of [...this.#restartTimers].slice(crashed)) this.#forget(timer);
    while (this.#workers.size + this.#restartTimers.size < count) this.#start();
    for (const worker of this.#leastBusy(this.#workers.size - count)) this.#dismiss(worker);
  }

  /** How many workers that ended by themselves were started again. */
  get restarts(): number {
    return this.#restarts;
  }

  get pids(): number[] {
    return [...this.#workers].flatMap(({ pid }) => pid ?? []);
  }

  /** Tells all workers to go, for good, and waits until they have. */
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
    const { module, env } = this.#options;
    const execArgv = [...process.execArgv, '--import', EXIT_WITH_PARENT];
    // A process group of its own: Ctrl-C in a terminal is for the engine, which then stops its workers.
    const worker = fork(module, { env: { ...env }, execArgv, detached: true });
    const startedAtMs = performance.now();
    let settled = false;
    const settle = (code: number | null, signal: NodeJS.Signals | null) => {
      if (settled) return;
      settled = true;
      const wasToStay = this.#workers.delete(worker);
      this.#leaving.delete(worker);
      if (performance.now() - startedAtMs > HEALTHY_MS) this.#crashesInARow = 0;
      const restart = wasToStay ? { restartInMs: this.#restart() } : {};
      this.#options.onExit({ owner: String(worker.pid), code, signal, ...restart });
    };
    this.#workers.add(worker);
    worker.on('exit', settle);
    // A process that could not be started at all never exits.
    worker.on('error', () => {
      if (worker.pid === undefined) settle(null, null);
    });
  }

  #restart(): number {
    const { firstBackoffMs, maxBackoffMs } = this.#options;
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** this.#crashesInARow);
    this.#crashesInARow += 1;
    const timer = setTimeout(() => {
      this.#restartTimers.delete(timer);
      this.#restarts += 1;
      this.#start();
    }, backoffMs);
    this.#restartTimers.add(timer);
    return backoffMs;
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
