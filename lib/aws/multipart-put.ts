/** Stores files as one object, however large: in parts, of which one is in memory at a time. */

import { open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/** S3 takes up to 10,000 parts of at least 5 MB, but for the last. */
const MIN_PART_BYTES = 8 * 2 ** 20;
const MAX_PARTS = 9000;

export type ObjectTerms = Pick<
  PutObjectCommandInput,
  'Bucket' | 'Key' | 'ContentType' | 'CacheControl' | 'ContentDisposition' | 'IfNoneMatch'
>;

/** The bytes of files that follow one another, in blocks of the same size but for the last. */
export async function* blocksOf(
  paths: readonly string[],
  blockBytes: number,
): AsyncGenerator<Uint8Array> {
  let block = new Uint8Array(blockBytes);
  let filled = 0;
  for (const path of paths) {
    const file = await open(path);
    try {
      for (;;) {
        const { bytesRead } = await file.read(block, filled, blockBytes - filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
        if (filled < blockBytes) continue;
        yield block;
        block = new Uint8Array(blockBytes);
        filled = 0;
      }
    } finally {
      await file.close();
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** How large parts are, so that there are not too many. */
export const partBytes = (sizeBytes: number): number =>
  Math.max(MIN_PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS));

/** Throws what S3 answers, as when the object is there; then nothing is left of the parts. */
export async function putMultipart(
  client: S3Client,
  { IfNoneMatch, ...terms }: ObjectTerms,
  blocks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { Bucket, Key } = terms;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(terms));
  const upload = { Bucket, Key, UploadId };
  try {
    const parts: CompletedPart[] = [];
    for await (const Body of blocks) {
      const PartNumber = parts.length + 1;
      const part = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
      parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
    }
    const completed = { ...upload, IfNoneMatch, MultipartUpload: { Parts: parts } };
    await client.send(new CompleteMultipartUploadCommand(completed));
  } catch (error) {
    // The bucket's own rule removes what is left after a day.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}
