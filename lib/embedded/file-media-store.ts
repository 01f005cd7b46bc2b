/** The media store on files: `objects/KEY` appears whole, durable and once. A disk that refuses throws StorageFault. */

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rmdir,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { DomainError } from '../domain/errors.ts';
import type { ByteRange, KeyRange, MediaStore, ObjectInfo, PresignedPut } from '../ports/ports.ts';
import { contentTypeOf } from './content-type.ts';
import { DirectorySync } from './directory-sync.ts';
import { errorCode } from './error-code.ts';
import { FileMultipartUploads } from './multipart-files.ts';
import { checkObjectKey, isObjectKey } from './object-key.ts';
import type { OpenObject } from './open-object.ts';
import { PRESIGNED_PATH, type PresignedTerms, presignedQuery } from './presigned-put.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './private-files.ts';
import { storing } from './storage-fault.ts';

export type FileMediaStoreOptions = Readonly<{
  objects: string;
  /** Files of objects whose content type does not follow from their names. */
  typed: string;
  /** On the same file system as `objects`. */
  tmp: string;
  /** On the same file system, too. */
  multipart: string;
  signingKey: Uint8Array;
  /** Scheme, host and port of presigned URLs. */
  presignOrigin: () => string;
}>;

const READ_BUFFER_BYTES = 256 * 1024;
const DELETES_AT_ONCE = 16;

export class FileMediaStore implements MediaStore {
  readonly #options: FileMediaStoreOptions;
  readonly #directories: DirectorySync;
  readonly #typedDirectory: DirectorySync;
  readonly multipart: FileMultipartUploads;

  constructor(options: FileMediaStoreOptions) {
    this.#options = options;
    this.#directories = new DirectorySync(options.objects);
    this.#typedDirectory = new DirectorySync(options.typed);
    this.multipart = new FileMultipartUploads(options.multipart, {
      presignPut: (key, terms) => this.presignPut(key, terms),
      isStored: (key) => isThere(this.#path(key)),
      name: (file, key, contentType) => this.#name(file, this.#path(key), contentType),
    });
  }

  async put(key: string, bytes: Uint8Array, contentType: string): Promise<'stored' | 'exists'> {
    const path = this.#path(key);
    if (await isThere(path)) return this.#existing(path);
    return this.#create(path, contentType, (file) => file.writeFile(bytes));
  }

  async putFile(
    key: string,
    paths: readonly string[],
    contentType: string,
  ): Promise<'stored' | 'exists'> {
    const path = this.#path(key);
    if (await isThere(path)) return this.#existing(path);
    return this.#create(path, contentType, async (file) => {
      for (const from of paths) await file.writeFile(createReadStream(from));
    });
  }

  /**
   * Like `put`, from a stream of exactly `sizeBytes`; `size_mismatch` and `digest_mismatch`
   * otherwise, and then nothing is stored.
   */
  async putStream(
    key: string,
    chunks: AsyncIterable<Uint8Array>,
    contentType: string,
    expected: Readonly<{ sizeBytes: number; digest?: string | undefined }>,
  ): Promise<'stored' | 'exists'> {
    return this.#create(this.#path(key), contentType, async (file) => {
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const chunk of chunks) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > expected.sizeBytes) throw sizeMismatch(expected.sizeBytes, 'more');
        hash.update(chunk);
        await file.writeFile(chunk);
      }
      if (sizeBytes < expected.sizeBytes) throw sizeMismatch(expected.sizeBytes, `${sizeBytes}`);
      const digest = hash.digest('hex');
      if (expected.digest !== undefined && digest !== expected.digest) {
        throw new DomainError(
          'digest_mismatch',
          `The bytes have the sha-256 ${digest}, announced was ${expected.digest}.`,
          'Send the announced bytes again, or announce these.',
        );
      }
    });
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const file = await openIfThere(this.#path(key));
    if (!file) return undefined;
    try {
      if (!range) return await file.readFile();
      const { size } = await file.stat();
      const length = Math.max(0, Math.min(range.endInclusive + 1, size) - range.start);
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, range.start + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    } finally {
      await file.close();
    }
  }

  /** For servers: the object's facts first, then as much of it as the request asks for. */
  async openObject(key: string): Promise<OpenObject | undefined> {
    if (!isObjectKey(key)) return undefined;
    const path = this.#path(key);
    const file = await openIfThere(path);
    if (!file) return undefined;
    try {
      const stats = await file.stat();
      const contentType = await contentTypeAt(path);
      return {
        sizeBytes: stats.size,
        contentType,
        modifiedMs: stats.mtimeMs,
        stream: (range) =>
          file.createReadStream({
            highWaterMark: READ_BUFFER_BYTES,
            ...(range && { start: range.start, end: range.endInclusive }),
          }),
        close: () => file.close(),
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const path = this.#path(key);
    try {
      const stats = await stat(path);
      if (!stats.isFile()) return undefined;
      return { sizeBytes: stats.size, contentType: await contentTypeAt(path) };
    } catch (error) {
      return absent(error);
    }
  }

  async list(prefix: string, range?: KeyRange): Promise<string[]> {
    if (!prefix.endsWith('/')) throw new RangeError(`Not a prefix: ${JSON.stringify(prefix)}`);
    const directory = this.#path(prefix.slice(0, -1));
    const keys = await this.#keysBelow(directory, prefix);
    keys.sort();
    if (!range) return keys;
    return keys.filter((key) => key > range.after && key < range.before).slice(0, range.limit);
  }

  async delete(keys: readonly string[]): Promise<void> {
    const paths = keys.map((key) => this.#path(key));
    for (let start = 0; start < paths.length; start += DELETES_AT_ONCE) {
      await Promise.all(paths.slice(start, start + DELETES_AT_ONCE).map(removeObject));
    }
    await Promise.all([...new Set(paths.map(dirname))].map((parent) => this.#prune(parent)));
  }

  async presignPut(key: string, terms: Omit<PresignedTerms, 'key'>): Promise<PresignedPut> {
    const query = presignedQuery(this.#options.signingKey, { ...terms, key: checkObjectKey(key) });
    return {
      method: 'PUT',
      url: `${this.#options.presignOrigin()}${PRESIGNED_PATH}${key}?${query}`,
      headers: { 'content-type': terms.contentType },
      expiresAtMs: terms.expiresAtMs,
    };
  }

  #path(key: string): string {
    return join(this.#options.objects, checkObjectKey(key));
  }

  async #create(
    path: string,
    contentType: string,
    write: (file: FileHandle) => Promise<void>,
  ): Promise<'stored' | 'exists'> {
    return storing(() => this.#createWhole(path, contentType, write));
  }

  async #createWhole(
    path: string,
    contentType: string,
    write: (file: FileHandle) => Promise<void>,
  ): Promise<'stored' | 'exists'> {
    const temporary = join(this.#options.tmp, `${process.pid}-${randomUUID()}`);
    try {
      const file = await open(temporary, 'wx', PRIVATE_FILE);
      try {
        await write(file);
        await file.datasync();
      } finally {
        await file.close();
      }
      return await this.#name(temporary, path, contentType);
    } finally {
      await unlink(temporary).catch(absent);
    }
  }

  /** A file that is written gets its name in one step. */
  async #name(file: string, path: string, contentType: string): Promise<'stored' | 'exists'> {
    const stored =
      contentType === contentTypeOf(path)
        ? await claimName(path, () => link(file, path))
        : await this.#linkTyped(file, path, contentType);
    if (!stored) return await this.#existing(path);
    await this.#directories.sync(dirname(path));
    return 'stored';
  }

  /**
   * The name becomes a symbolic link to a file whose own name carries the content type, so that
   * object and type still appear in one atomic step.
   */
  async #linkTyped(temporary: string, path: string, contentType: string): Promise<boolean> {
    const target = join(this.#options.typed, `${randomUUID()}.${encodeURIComponent(contentType)}`);
    await link(temporary, target);
    await this.#typedDirectory.sync(this.#options.typed);
    const stored = await claimName(path, () => symlink(relative(dirname(path), target), path));
    if (!stored) await unlink(target);
    return stored;
  }

  /** The process that created the name may not have synced it yet; this answer promises it as well. */
  async #existing(path: string): Promise<'exists'> {
    await this.#directories.sync(dirname(path));
    return 'exists';
  }

  async #keysBelow(directory: string, prefix: string): Promise<string[]> {
    const entries = await readdir(directory, { withFileTypes: true }).catch(absent);
    const keys: string[] = [];
    for (const entry of entries ?? []) {
      if (!entry.isDirectory()) keys.push(prefix + entry.name);
      else
        keys.push(
          ...(await this.#keysBelow(join(directory, entry.name), `${prefix}${entry.name}/`)),
        );
    }
    return keys;
  }

  /** Makes deletions durable and takes away the directories that they emptied. */
  async #prune(directory: string): Promise<void> {
    try {
      if (directory !== this.#options.objects) {
        await rmdir(directory);
        return await this.#prune(dirname(directory));
      }
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error))) throw error;
    }
    await this.#directories.sync(directory).catch(absent);
  }
}

const sizeMismatch = (expected: number, came: string): DomainError =>
  new DomainError(
    'size_mismatch',
    `The body has ${came} bytes, announced were ${expected}.`,
    'Send exactly as many bytes as announced.',
  );

/** false if the name is taken. A deletion may take the directory away between mkdir and link. */
async function claimName(path: string, claim: () => Promise<void>): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await claim();
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EEXIST') return false;
      if (code !== 'ENOENT' || attempt === 10) throw error;
      await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
    }
  }
}

async function contentTypeAt(path: string): Promise<string> {
  if (!(await lstat(path)).isSymbolicLink()) return contentTypeOf(path);
  const target = await readlink(path);
  return decodeURIComponent(target.slice(target.lastIndexOf('.') + 1));
}

async function removeObject(path: string): Promise<void> {
  try {
    const target = (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
    await unlink(path);
    if (target) await unlink(join(dirname(path), target));
  } catch (error) {
    absent(error);
  }
}

const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(absent)) !== undefined;

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  const file = await open(path, 'r').catch(absent);
  if (!file) return undefined;
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

function absent(error: unknown): undefined {
  const code = errorCode(error);
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  return undefined;
}
