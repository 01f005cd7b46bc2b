/** The media store on one S3 bucket. */

import { stat } from 'node:fs/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type {
  ByteRange,
  Clock,
  KeyRange,
  MediaStore,
  ObjectInfo,
  PresignedPut,
} from '../ports/ports.ts';
import { savedAs, savedNameOf } from '../ports/saved-objects.ts';
import { type AwsConnection, clientOptions, type Timeouts } from './connection.ts';
import { errorName, retryCall } from './retry.ts';
import { S3MultipartUploads } from './s3-multipart-uploads.ts';

export type S3MediaStoreOptions = Readonly<{ bucket: string; clock: Clock }>;

/** Time for a body of some 100 MB each way. */
const TIMEOUTS: Timeouts = { requestMs: 60_000, idleMs: 10_000 };

/** With the object, not added by the CDN: an answer that something is missing must not be kept. */
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** S3's own limit. */
const MAX_DELETES = 1_000;
const MAX_KEYS = 1_000;
/** Bodies that break off are asked for again as often. */
const MAX_READS = 5;

type PresignedTerms = Parameters<MediaStore['presignPut']>[1];

export class S3MediaStore implements MediaStore {
  readonly #bucket: string;
  readonly #clock: Clock;
  readonly #client: S3Client;
  readonly #presigner: S3Client;
  readonly multipart: S3MultipartUploads;

  constructor(connection: AwsConnection, { bucket, clock }: S3MediaStoreOptions) {
    const options = {
      ...clientOptions(connection, TIMEOUTS),
      // Emulators have no names for each of their buckets.
      forcePathStyle: connection.endpoint !== undefined,
    };
    this.#bucket = bucket;
    this.#clock = clock;
    this.#client = new S3Client(options);
    // Otherwise the checksum of an empty body would be signed into the URL.
    this.#presigner = new S3Client({ ...options, requestChecksumCalculation: 'WHEN_REQUIRED' });
    this.multipart = new S3MultipartUploads(this.#client, this.#presigner, { bucket, clock });
  }

  /** The keys' immutability rests on If-None-Match, which S3 decides between racing creators. */
  async put(key: string, bytes: Uint8Array, contentType: string): Promise<'stored' | 'exists'> {
    const terms = { ContentType: contentType, CacheControl: IMMUTABLE, IfNoneMatch: '*' };
    const command = { ...this.#at(key), ...terms, Body: bytes };
    try {
      await retryCall(() => this.#client.send(new PutObjectCommand(command)), isWriteConflict);
      return 'stored';
    } catch (error) {
      if (statusOf(error) === 412) return 'exists';
      throw error;
    }
  }

  async putFile(
    key: string,
    paths: readonly string[],
    contentType: string,
  ): Promise<'stored' | 'exists'> {
    const { blocksOf, partBytes, putMultipart } = await import('./multipart-put.ts');
    const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
    const name = savedNameOf(key);
    const terms = {
      ...{ ...this.#at(key), ContentType: contentType, CacheControl: IMMUTABLE, IfNoneMatch: '*' },
      ...(name !== undefined && { ContentDisposition: savedAs(name) }),
    };
    const blockBytes = partBytes(sizes.reduce((sum, size) => sum + size, 0));
    try {
      await retryCall(
        () => putMultipart(this.#client, terms, blocksOf(paths, blockBytes)),
        isWriteConflict,
      );
      return 'stored';
    } catch (error) {
      if (statusOf(error) === 412) return 'exists';
      throw error;
    }
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const part = range && { Range: `bytes=${range.start}-${range.endInclusive}` };
    try {
      return await retryCall(
        async () => {
          const command = new GetObjectCommand({ ...this.#at(key), ...part });
          const { Body } = await this.#client.send(command);
          return Body ? await Body.transformToByteArray() : new Uint8Array();
        },
        isBrokenBody,
        MAX_READS,
      );
    } catch (error) {
      if (errorName(error) === 'NoSuchKey') return undefined;
      // Beyond the object's end.
      if (statusOf(error) === 416) return new Uint8Array();
      throw error;
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    try {
      const command = new HeadObjectCommand(this.#at(key));
      const { ContentLength = 0, ContentType = '' } = await this.#client.send(command);
      return { sizeBytes: ContentLength, contentType: ContentType };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async list(prefix: string, range?: KeyRange): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    const { after, before, limit = Number.POSITIVE_INFINITY } = range ?? {};
    const part = range && { StartAfter: after, MaxKeys: Math.min(MAX_KEYS, limit) };
    const isBehind = (key = ''): boolean => before !== undefined && key >= before;
    do {
      const next = token !== undefined && { ContinuationToken: token };
      const page: ListObjectsV2CommandOutput = await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix, ...part, ...next }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      token = page.NextContinuationToken;
    } while (token !== undefined && keys.length < limit && !isBehind(keys.at(-1)));
    return range ? keys.filter((key) => !isBehind(key)).slice(0, limit) : keys;
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += MAX_DELETES) {
      let left = keys.slice(start, start + MAX_DELETES);
      await retryCall(
        async () => {
          const { Errors = [] } = await this.#client.send(
            new DeleteObjectsCommand({
              Bucket: this.#bucket,
              Delete: { Objects: left.map((Key) => ({ Key })), Quiet: true },
            }),
          );
          const [first] = Errors;
          if (!first) return;
          left = Errors.flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
          throw new UndeletedError(first.Code, `${left.length} objects stay: ${first.Message}`);
        },
        (error) => error instanceof UndeletedError && error.isPassing,
      );
    }
  }

  /**
   * Key, size, content type and digest are signed as headers: S3 takes nothing else under this URL.
   * Needs credentials that live as long as the presigned URL.
   */
  async presignPut(key: string, terms: PresignedTerms): Promise<PresignedPut> {
    const { sizeBytes, contentType, digest, expiresAtMs } = terms;
    const signedAtSeconds = Math.floor(this.#clock.now() / 1000);
    const checksum =
      digest === undefined ? undefined : Buffer.from(digest, 'hex').toString('base64');
    const command = new PutObjectCommand({
      ...this.#at(key),
      ContentLength: sizeBytes,
      ContentType: contentType,
      // With a digest a repetition stores the same bytes and is reported again, which makes up for a lost
      // report; without one it must not replace what is there.
      ...(checksum === undefined ? { IfNoneMatch: '*' } : { ChecksumSHA256: checksum }),
    });
    const url = await getSignedUrl(this.#presigner, command, {
      signingDate: new Date(signedAtSeconds * 1000),
      expiresIn: Math.max(1, Math.floor(expiresAtMs / 1000) - signedAtSeconds),
      // Which the presigner would leave out, as clients may change it.
      signableHeaders: new Set(['content-type']),
      unhoistableHeaders: new Set([CHECKSUM]),
    });
    const headers = {
      'content-type': contentType,
      ...(checksum === undefined ? { 'if-none-match': '*' } : { [CHECKSUM]: checksum }),
    };
    // Content-Length is every client's own to send, and browsers let no script set it.
    return { method: 'PUT', url, headers, expiresAtMs };
  }

  close(): void {
    this.#client.destroy();
    this.#presigner.destroy();
  }

  #at(key: string): Readonly<{ Bucket: string; Key: string }> {
    return { Bucket: this.#bucket, Key: key };
  }
}

const CHECKSUM = 'x-amz-checksum-sha256';

class UndeletedError extends Error {
  readonly isPassing: boolean;

  constructor(code: string | undefined, message: string) {
    super(message);
    this.name = 'UndeletedError';
    this.isPassing = code === 'InternalError' || code === 'SlowDown';
  }
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

/** Two creators at once, of whom S3 let neither know the outcome. */
const isWriteConflict = (error: unknown): boolean =>
  errorName(error) === 'ConditionalRequestConflict' || statusOf(error) === 409;

/** The head had come, so this is none of the failures that the SDK tries again. */
const isBrokenBody = (error: unknown): boolean => !(error instanceof S3ServiceException);
