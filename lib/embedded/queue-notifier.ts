/**
 * Wakes receivers that wait for messages, in this process and in others: a sender writes one byte into
 * the queue's file, and the system's file watching reports it to all of them.
 */

import { closeSync, type FSWatcher, mkdirSync, openSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './private-files.ts';
import { whereStorable } from './storage-fault.ts';

const BYTE = new Uint8Array(1);

export class QueueNotifier {
  readonly #folder: string;
  readonly #files = new Map<string, number>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #watcher: FSWatcher | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  }

  notify(queue: string): void {
    this.#wake(queue);
    // On a full disk the receivers' own polls find it.
    whereStorable(() => writeSync(this.#file(queue), BYTE, 0, 1, 0));
  }

  /** From now on notifications of other processes are received. */
  open(): void {
    this.#watcher ??= this.#watch();
  }

  /** Calls `wake` at every notification, and now and then without one. Returns what ends it. */
  listen(queue: string, wake: () => void): () => void {
    const listeners = this.#listeners.get(queue) ?? new Set();
    this.#listeners.set(queue, listeners.add(wake));
    return () => listeners.delete(wake);
  }

  close(): void {
    this.#watcher?.close();
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #file(queue: string): number {
    const file = this.#files.get(queue) ?? openSync(join(this.#folder, queue), 'w', PRIVATE_FILE);
    this.#files.set(queue, file);
    return file;
  }

  #wake(queue: string): void {
    for (const wake of this.#listeners.get(queue) ?? []) wake();
  }

  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#folder, { persistent: false }, (_event, queue) => {
        if (queue !== null) this.#wake(queue);
      });
      // Without watches (some systems limit them) the receivers' own polls still find everything.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }
}
