/** Makes names in directories durable. Concurrent callers for one directory share one fsync. */

import { dirname } from 'node:path';
import { syncDirectory } from '../base/sync-directory.ts';

const MAX_REMEMBERED = 10_000;

export class DirectorySync {
  readonly #root: string;
  /** Directories whose own names are durable up to the root, by inode: one that is made again has another. */
  readonly #anchored = new Map<string, number>();
  readonly #running = new Map<string, Promise<number>>();
  readonly #following = new Map<string, Promise<number>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Resolves when every name that stands in `directory` now, and the way to it, is on disk. */
  async sync(directory: string): Promise<void> {
    const inode = await this.#shared(directory);
    if (directory === this.#root || this.#anchored.get(directory) === inode) return;
    await this.sync(dirname(directory));
    if (this.#anchored.size >= MAX_REMEMBERED) this.#anchored.clear();
    this.#anchored.set(directory, inode);
  }

  #shared(directory: string): Promise<number> {
    const running = this.#running.get(directory);
    if (!running) return this.#start(directory);
    // The one that runs may have begun before our change; all who come meanwhile share the next.
    const following =
      this.#following.get(directory) ??
      running
        .catch(() => 0)
        .then(() => {
          this.#following.delete(directory);
          return this.#start(directory);
        });
    this.#following.set(directory, following);
    return following;
  }

  #start(directory: string): Promise<number> {
    const sync = syncDirectory(directory).finally(() => this.#running.delete(directory));
    this.#running.set(directory, sync);
    return sync;
  }
}
