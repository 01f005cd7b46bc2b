/** The worker fleet on child processes: keeps as many running as were asked for. */

import { type ChildProcess, fork } from 'node:child_process';
import type { WorkerFleet } from '../pipeline/ports.ts';

export type WorkerExit = Readonly<{
  /** The worker's process id, which is also the owner of its leases. */
  owner: string;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Absent if it is not started again: it ended by itself (code 0), or the fleet stops. */
  restartInMs?: number;
}>;

export type ChildProcessFleetOptions = Readonly<{
  /** Path of the worker's module. */
  module: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Called for every worker that has ended, crashed or not. */
  onExit: (exit: WorkerExit) => void;
  firstBackoffMs?: number;
  maxBackoffMs?: number;
}>;

const EXIT_WITH_PARENT = new URL('./exit-with-parent.ts', import.meta.url).href;
/** A worker that ran so long was well: its next crash is the first again. */
const HEALTHY_MS = 60_000;

export class ChildProcessFleet implements WorkerFleet {
  readonly scalesToZero = false;
  readonly #options: Required<ChildProcessFleetOptions>;
  readonly #workers = new Set<ChildProcess>();
  readonly #restartTimers = new Set<NodeJS.Timeout>();
  #crashesInARow = 0;
  #restarts = 0;
  #stopping = false;

  constructor(options: ChildProcessFleetOptions) {
    this.#options = { firstBackoffMs: 250, maxBackoffMs: 30_000, ...options };
  }

  async running(): Promise<number> {
    return this.#workers.size;
  }

  async ensure(count: number): Promise<void> {
    if (this.#stopping) return;
    while (this.#workers.size + this.#restartTimers.size < count) this.#start();
  }

  /** How many crashed workers were started again. */
  get restarts(): number {
    return this.#restarts;
  }

  get pids(): number[] {
    return [...this.#workers].flatMap(({ pid }) => pid ?? []);
  }

  /** Asks all workers to finish (SIGTERM) and kills those that still run after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restartTimers) clearTimeout(timer);
    this.#restartTimers.clear();
    const workers = [...this.#workers];
    const ended = Promise.all(workers.map(exited));
    for (const worker of workers) worker.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const worker of workers) worker.kill('SIGKILL');
    }, graceMs);
    await ended;
    clearTimeout(timer);
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
      this.#workers.delete(worker);
      if (performance.now() - startedAtMs > HEALTHY_MS) this.#crashesInARow = 0;
      const restart = code !== 0 && !this.#stopping ? { restartInMs: this.#restart() } : {};
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
}

const exited = (worker: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (worker.exitCode !== null || worker.signalCode !== null) resolve();
    else worker.once('exit', () => resolve());
  });
