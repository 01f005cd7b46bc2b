/** Uploads the sessions of a stream one after the other: the server refuses an older one after a newer. */

import type { UploadQueue } from './upload-queue.ts';

export class SessionUploads {
  readonly #queues = new Set<UploadQueue>();
  readonly #onFailure: (error: unknown) => void;
  #last: Promise<void>;

  /** All uploads wait for `before`. */
  constructor(before: Promise<void>, onFailure: (error: unknown) => void) {
    this.#last = before;
    this.#onFailure = onFailure;
    before.catch(onFailure);
  }

  /** Its spool is removed when everything in it was sent or refused. */
  add(queue: UploadQueue): void {
    this.#queues.add(queue);
    this.#last = this.#last.then(async () => {
      await queue.run();
      await queue.spool.remove();
      this.#queues.delete(queue);
    });
    this.#last.catch(this.#onFailure);
  }

  /** Resolves when all queues that were added are closed and empty. */
  done(): Promise<void> {
    return this.#last;
  }

  get backlog(): Readonly<{ segments: number; bytes: number; seconds: number }> {
    let [segments, bytes, seconds] = [0, 0, 0];
    for (const { backlog } of this.#queues) {
      segments += backlog.segments;
      bytes += backlog.bytes;
      seconds += backlog.seconds;
    }
    return { segments, bytes, seconds };
  }
}
