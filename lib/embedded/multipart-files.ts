/**
 * Uploads in parts, on files: all parts of one lie in a single file, each at its place, so that nothing is
 * to be joined. A part that is there has a file of its number beside it.
 */

import { randomUUID } from 'node:crypto';
import {
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  statfs,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../domain/errors.ts';
import type { MultipartUpload, MultipartUploads, PresignedPut } from '../ports/ports.ts';
import { errorCode } from './error-code.ts';
import { checkObjectKey } from './object-key.ts';
import type { PresignedTerms } from './presigned-put.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './private-files.ts';
import { storing } from './storage-fault.ts';

const LIFETIME_MS = 7 * 24 * 3600_000;
/** Left for everything else on the disk. */
const RESERVED_BYTES = 256 * 1024 * 1024;

const PART_TYPE = 'application/octet-stream';

/** What it needs of the store that it belongs to. */
export type ObjectNames = Readonly<{
  presignPut(key: string, terms: Omit<PresignedTerms, 'key'>): Promise<PresignedPut>;
  isStored(key: string): Promise<boolean>;
  /** Makes a file an object, in one step. */
  name(file: string, key: string, contentType: string): Promise<unknown>;
}>;

export class FileMultipartUploads implements MultipartUploads {
  readonly #folder: string;
  readonly #names: ObjectNames;

  constructor(folder: string, names: ObjectNames) {
    this.#folder = folder;
    this.#names = names;
  }

  /** Throws `insufficient_storage` when the disk has no room for it. */
  async begin({
    key,
    sizeBytes,
    contentType,
  }: Parameters<MultipartUploads['begin']>[0]): Promise<string> {
    checkObjectKey(key);
    await this.#dropOld();
    const { bavail, bsize } = await statfs(this.#folder);
    const freeBytes = bavail * bsize - RESERVED_BYTES;
    if (sizeBytes > freeBytes) throw noRoom(sizeBytes, freeBytes);
    const id = randomUUID();
    await storing(async () => {
      await mkdir(this.#at(id), { mode: PRIVATE_FOLDER });
      await writeFile(join(this.#at(id), 'type'), contentType, { mode: PRIVATE_FILE });
      await writeFile(join(this.#at(id), 'whole'), '', { mode: PRIVATE_FILE });
    });
    return id;
  }

  /**
   * Throws `size_mismatch` unless exactly so many bytes come, and `not_found` if the upload is no more; the
   * part then counts as missing.
   */
  async putPart(
    { uploadId, number, offset }: Readonly<{ uploadId: string; number: number; offset: number }>,
    chunks: AsyncIterable<Uint8Array>,
    sizeBytes: number,
  ): Promise<void> {
    const folder = this.#at(uploadId);
    const file = await open(join(folder, 'whole'), 'r+').catch(asGone);
    try {
      let done = 0;
      for await (const chunk of chunks) {
        if (done + chunk.byteLength > sizeBytes) throw wrongSize(sizeBytes, 'more');
        await storing(() => file.write(chunk, 0, chunk.byteLength, offset + done));
        done += chunk.byteLength;
      }
      if (done < sizeBytes) throw wrongSize(sizeBytes, String(done));
      await storing(() => file.datasync());
    } finally {
      await file.close();
    }
    await storing(() => writeFile(join(folder, String(number)), '', { mode: PRIVATE_FILE }));
    const now = new Date();
    await utimes(folder, now, now).catch(() => undefined);
  }

  async presignPart(
    { key, id, sizeBytes, partBytes }: MultipartUpload,
    part: number,
    expiresAtMs: number,
  ): Promise<PresignedPut> {
    const offset = (part - 1) * partBytes;
    return this.#names.presignPut(key, {
      sizeBytes: Math.min(partBytes, sizeBytes - offset),
      contentType: PART_TYPE,
      part: { uploadId: id, number: part, offset },
      expiresAtMs,
    });
  }

  async list({ id }: Pick<MultipartUpload, 'id'>): Promise<number[] | undefined> {
    const names = await readdir(this.#at(id)).catch(absent);
    return names
      ?.filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  async complete(upload: MultipartUpload): Promise<boolean> {
    const { key, id, sizeBytes, partBytes } = upload;
    const parts = await this.list(upload);
    if (!parts) return this.#names.isStored(key);
    if (parts.length < Math.ceil(sizeBytes / partBytes)) return false;
    const contentType = await readFile(join(this.#at(id), 'type'), 'utf8');
    await storing(() => this.#names.name(join(this.#at(id), 'whole'), key, contentType));
    await this.abort(upload);
    return true;
  }

  async abort({ id }: Pick<MultipartUpload, 'id'>): Promise<void> {
    await rm(this.#at(id), { recursive: true, force: true });
  }

  /** Of those that nobody has gone on with. */
  async #dropOld(): Promise<void> {
    const oldestMs = Date.now() - LIFETIME_MS;
    for (const id of await readdir(this.#folder)) {
      const stats = await stat(this.#at(id)).catch(absent);
      if (stats && stats.mtimeMs < oldestMs) await this.abort({ id });
    }
  }

  /** Ids come from signed addresses and from records, but a path is made of them. */
  #at(id: string): string {
    if (!/^[0-9a-f-]{36}$/.test(id)) throw new RangeError(`Not an upload: ${JSON.stringify(id)}`);
    return join(this.#folder, id);
  }
}

function absent(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
  return undefined;
}

function asGone(error: unknown): never {
  if (errorCode(error) !== 'ENOENT') throw error;
  throw new DomainError(
    'not_found',
    'This upload is no more: it was completed, or dropped after a week.',
    'Ask for the upload again.',
  );
}

const wrongSize = (expected: number, came: string): DomainError =>
  new DomainError(
    'size_mismatch',
    `The part has ${came} bytes, announced were ${expected}.`,
    'Send exactly as many bytes as announced.',
  );

const gigabytes = (bytes: number): string => (Math.max(0, bytes) / 1e9).toFixed(1);

const noRoom = (sizeBytes: number, freeBytes: number): DomainError =>
  new DomainError(
    'insufficient_storage',
    `The file has ${gigabytes(sizeBytes)} GB; the server's disk has room for ${gigabytes(freeBytes)} GB.`,
    'Make room on the disk of the data folder, and send the file again.',
  );
