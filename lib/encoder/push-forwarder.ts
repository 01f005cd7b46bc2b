/**
 * Forwards the files that were pushed to one stream from the disk to the server, in order of arrival:
 * an init segment applies to the segments after it, a playlist to those before it.
 */

import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ApiError } from '../api/client.ts';
import type { Receipt } from '../api/messages.ts';
import { MAX_BODY_BYTES } from '../api/routes.ts';
import { segmentNumberOfName } from '../domain/segment-names.ts';
import { type Destination, deliverPresigned, digestOf, judge, Refused } from './delivery.ts';
import type { SentItem } from './progress.ts';
import { keepRefused, storeWhole } from './spool.ts';

export type PushForwarderOptions = Destination &
  Readonly<{
    /** The stream's spool. */
    folder: string;
    /** `receipt`: undefined for a file that is no segment. */
    onSent(file: SentItem, receipt: Receipt | undefined): void;
    onRefused(warning: string, code: string): void;
  }>;

/** What no file's name can hold on one of the systems, and what would lead out of the folder. */
const UNSAFE = /[%/\\:*?"<>|\p{Cc}]/gu;
const MAX_FILE_BYTES = 220;

/** Other letters stay: encoded, each would take three times its bytes. */
const fileNameOf = (name: string): string =>
  name.replace(UNSAFE, (one) => encodeURIComponent(one).replace('*', '%2A'));

/** Whether a file of this name fits into the spool, whose names are limited by the system. */
export const canBeSpooled = (name: string): boolean =>
  Buffer.byteLength(fileNameOf(name)) <= MAX_FILE_BYTES;

type Entry = Readonly<{ name: string; stored: Promise<string> }>;

export class PushForwarder {
  readonly #options: PushForwarderOptions;
  readonly #entries: Entry[] = [];
  #nextSequence = 0;
  #closed = false;
  #changed = Promise.withResolvers<void>();

  constructor(options: PushForwarderOptions) {
    this.#options = options;
  }

  /** Files to be sent, those that still arrive included. */
  get waiting(): number {
    return this.#entries.length;
  }

  get #folder(): string {
    return join(this.#options.folder, 'pushed');
  }

  /** Queues what an earlier run left. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const file of (await readdir(this.#folder)).sort()) {
      const [, sequence, name] = file.match(/^(\d{12,})-(.+)$/) ?? [];
      if (sequence === undefined || name === undefined) {
        await rm(join(this.#folder, file), { force: true });
        continue;
      }
      this.#nextSequence = Number(sequence) + 1;
      const stored = Promise.resolve(join(this.#folder, file));
      this.#add({ name: decodeURIComponent(name), stored });
    }
  }

  /** Resolves when the file is on the disk. Files are sent in the order of these calls. */
  async take(name: string, body: Promise<Uint8Array>): Promise<void> {
    const file = `${String(this.#nextSequence).padStart(12, '0')}-${fileNameOf(name)}`;
    this.#nextSequence += 1;
    const stored = body.then((bytes) => storeWhole(join(this.#folder, file), bytes));
    this.#add({ name, stored });
    await stored;
  }

  /** No more files come. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Sends until it is closed and empty. Throws `GaveUp`, or the reason of the link's signal. */
  async run(): Promise<void> {
    for (;;) {
      const [entry] = this.#entries;
      if (entry) {
        // A body that broke off is not a file.
        const path = await entry.stored.catch(() => undefined);
        if (path !== undefined) await this.#forward(entry.name, path);
        this.#entries.shift();
      } else if (this.#closed) return;
      else await this.#changed.promise;
    }
  }

  async #forward(name: string, path: string): Promise<void> {
    const { folder, videoId, onSent, onRefused } = this.#options;
    const bytes = await readFile(path);
    try {
      const receipt = bytes.length === 0 ? undefined : await this.#send(name, bytes);
      const { mtimeMs } = await stat(path);
      await rm(path);
      onSent({ sizeBytes: bytes.length, spooledAtMs: mtimeMs }, receipt);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const keptAt = join(folder, 'rejected', basename(path));
      const kept = await keepRefused(path, keptAt, `${keptAt}.json`, { name }, error.reason);
      onRefused(`${videoId}/${name} ${kept}`, error.reason.code);
    }
  }

  async #send(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Receipt | undefined> {
    const { api, link, videoId } = this.#options;
    try {
      if (bytes.length <= MAX_BODY_BYTES) {
        return await link.call((signal) => api.pushFile(videoId, name, bytes, { signal }));
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 413) throw judge(error);
    }
    // The server numbers it by its name, which it compares with those before.
    const segment = segmentNumberOfName(name) ?? 0;
    const info = { segment, name, digest: digestOf(bytes), sizeBytes: bytes.length };
    try {
      return await deliverPresigned(this.#options, info, bytes);
    } catch (error) {
      throw judge(error);
    }
  }

  #add(entry: Entry): void {
    entry.stored.catch(() => undefined);
    this.#entries.push(entry);
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
