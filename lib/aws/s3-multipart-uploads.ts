/** Uploads in parts, on S3. */

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  type Part,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock, MultipartUpload, MultipartUploads, PresignedPut } from '../ports/ports.ts';
import { errorName } from './retry.ts';

export class S3MultipartUploads implements MultipartUploads {
  readonly #client: S3Client;
  readonly #presigner: S3Client;
  readonly #bucket: string;
  readonly #clock: Clock;

  constructor(
    client: S3Client,
    presigner: S3Client,
    { bucket, clock }: Readonly<{ bucket: string; clock: Clock }>,
  ) {
    this.#client = client;
    this.#presigner = presigner;
    this.#bucket = bucket;
    this.#clock = clock;
  }

  async begin({ key, contentType }: Parameters<MultipartUploads['begin']>[0]): Promise<string> {
    const command = new CreateMultipartUploadCommand({
      ...{ Bucket: this.#bucket, Key: key, ContentType: contentType },
    });
    const { UploadId } = await this.#client.send(command);
    if (!UploadId) throw new Error('S3 gave no id of the upload.');
    return UploadId;
  }

  /** The size is signed: S3 takes no other. Needs credentials that live as long as the presigned URL. */
  async presignPart(
    upload: MultipartUpload,
    part: number,
    expiresAtMs: number,
  ): Promise<PresignedPut> {
    const { sizeBytes, partBytes } = upload;
    const signedAtSeconds = Math.floor(this.#clock.now() / 1000);
    const command = new UploadPartCommand({
      ...this.#of(upload),
      PartNumber: part,
      ContentLength: Math.min(partBytes, sizeBytes - (part - 1) * partBytes),
    });
    const url = await getSignedUrl(this.#presigner, command, {
      signingDate: new Date(signedAtSeconds * 1000),
      expiresIn: Math.max(1, Math.floor(expiresAtMs / 1000) - signedAtSeconds),
    });
    return { method: 'PUT', url, headers: {}, expiresAtMs };
  }

  async list(upload: MultipartUpload): Promise<number[] | undefined> {
    return (await this.#parts(upload))?.flatMap(({ PartNumber: number }) => number ?? []);
  }

  async complete(upload: MultipartUpload): Promise<boolean> {
    const { key, sizeBytes, partBytes } = upload;
    const parts = await this.#parts(upload);
    if (!parts) return this.#isStored(key);
    if (parts.length < Math.ceil(sizeBytes / partBytes)) return false;
    const Parts = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    const command = { ...this.#of(upload), MultipartUpload: { Parts } };
    try {
      await this.#client.send(new CompleteMultipartUploadCommand(command));
      return true;
    } catch (error) {
      // Another request was faster.
      if (errorName(error) === 'NoSuchUpload') return this.#isStored(key);
      throw error;
    }
  }

  async abort(upload: MultipartUpload): Promise<void> {
    try {
      await this.#client.send(new AbortMultipartUploadCommand(this.#of(upload)));
    } catch (error) {
      if (errorName(error) !== 'NoSuchUpload') throw error;
    }
  }

  /** In order of their numbers, as S3 lists them. */
  async #parts(upload: MultipartUpload): Promise<Part[] | undefined> {
    const parts: Part[] = [];
    let marker: string | undefined;
    try {
      do {
        const next = marker !== undefined && { PartNumberMarker: marker };
        const page: ListPartsCommandOutput = await this.#client.send(
          new ListPartsCommand({ ...this.#of(upload), ...next }),
        );
        parts.push(...(page.Parts ?? []));
        marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
      return parts;
    } catch (error) {
      if (errorName(error) === 'NoSuchUpload') return undefined;
      throw error;
    }
  }

  async #isStored(key: string): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key }));
      return true;
    } catch (error) {
      if (errorName(error) === 'NotFound') return false;
      throw error;
    }
  }

  #of({ key, id }: MultipartUpload): Readonly<{ Bucket: string; Key: string; UploadId: string }> {
    return { Bucket: this.#bucket, Key: key, UploadId: id };
  }
}
