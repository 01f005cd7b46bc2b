/** Presigned PUTs of the embedded engine: the signed query of their URL, made and checked. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../domain/errors.ts';

/** The URL's path is this and the object key. */
export const PRESIGNED_PATH = '/presigned/';

export type PresignedTerms = Readonly<{
  key: string;
  sizeBytes: number;
  contentType: string;
  /** sha-256, hex. */
  digest?: string;
  /** The bytes are a part of a multipart upload. */
  part?: Readonly<{ uploadId: string; number: number; offset: number }>;
  expiresAtMs: number;
}>;

const EXPIRED_HINT = 'Ask for the upload again, and send the bytes to the new url.';

/** One line per term; none of them can hold a line break, so no two sets of terms sign alike. */
function signature(signingKey: Uint8Array, terms: PresignedTerms): string {
  const { key, sizeBytes, contentType, digest = '', part, expiresAtMs } = terms;
  const lines = ['PUT', key, sizeBytes, encodeURIComponent(contentType), digest, expiresAtMs];
  if (part) lines.push(encodeURIComponent(part.uploadId), part.number, part.offset);
  return createHmac('sha256', signingKey).update(lines.join('\n')).digest('base64url');
}

export function presignedQuery(signingKey: Uint8Array, terms: PresignedTerms): string {
  const query = new URLSearchParams({
    size: String(terms.sizeBytes),
    type: terms.contentType,
    ...(terms.digest !== undefined && { digest: terms.digest }),
    ...(terms.part && {
      upload: terms.part.uploadId,
      part: String(terms.part.number),
      offset: String(terms.part.offset),
    }),
    expires: String(terms.expiresAtMs),
  });
  query.set('signature', signature(signingKey, terms));
  return query.toString();
}

/** The terms of a presigned URL. Throws `forbidden` if its signature is wrong or has expired. */
export function readPresigned(
  signingKey: Uint8Array,
  key: string,
  query: URLSearchParams,
  nowMs: number,
): PresignedTerms {
  const digest = query.get('digest');
  const uploadId = query.get('upload');
  const terms: PresignedTerms = {
    key,
    sizeBytes: Number(query.get('size')),
    contentType: query.get('type') ?? '',
    ...(digest !== null && { digest }),
    ...(uploadId !== null && {
      part: { uploadId, number: Number(query.get('part')), offset: Number(query.get('offset')) },
    }),
    expiresAtMs: Number(query.get('expires')),
  };
  const given = Buffer.from(query.get('signature') ?? '');
  const right = Buffer.from(signature(signingKey, terms));
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    throw new DomainError(
      'forbidden',
      'The signature of this url is wrong.',
      'Use the url exactly as it was given.',
    );
  }
  if (nowMs >= terms.expiresAtMs) {
    const expiredAt = new Date(terms.expiresAtMs).toISOString();
    throw new DomainError('forbidden', `This url expired at ${expiredAt}.`, EXPIRED_HINT);
  }
  return terms;
}
