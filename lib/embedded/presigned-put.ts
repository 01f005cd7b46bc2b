/** Signed permissions to store one object: their URL's query, made and checked. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../domain/errors.ts';

/** The URL's path is this and the object key. */
export const GRANT_PATH = '/grants/';

export type GrantTerms = Readonly<{
  key: string;
  sizeBytes: number;
  contentType: string;
  /** sha-256, hex. */
  digest?: string;
  expiresAtMs: number;
}>;

const EXPIRED_HINT = 'Ask for a new grant and send the bytes to its url.';

/** One line per term; none of them can hold a line break, so no two sets of terms sign alike. */
function signature(signingKey: Uint8Array, terms: GrantTerms): string {
  const { key, sizeBytes, contentType, digest = '', expiresAtMs } = terms;
  const lines = ['PUT', key, sizeBytes, encodeURIComponent(contentType), digest, expiresAtMs];
  return createHmac('sha256', signingKey).update(lines.join('\n')).digest('base64url');
}

export function grantQuery(signingKey: Uint8Array, terms: GrantTerms): string {
  const query = new URLSearchParams({
    size: String(terms.sizeBytes),
    type: terms.contentType,
    ...(terms.digest !== undefined && { digest: terms.digest }),
    expires: String(terms.expiresAtMs),
  });
  query.set('signature', signature(signingKey, terms));
  return query.toString();
}

/** The terms that a URL grants; `forbidden` if it was not signed by us or is too old. */
export function readGrant(
  signingKey: Uint8Array,
  key: string,
  query: URLSearchParams,
  nowMs: number,
): GrantTerms {
  const digest = query.get('digest');
  const terms: GrantTerms = {
    key,
    sizeBytes: Number(query.get('size')),
    contentType: query.get('type') ?? '',
    ...(digest !== null && { digest }),
    expiresAtMs: Number(query.get('expires')),
  };
  const given = Buffer.from(query.get('signature') ?? '');
  const right = Buffer.from(signature(signingKey, terms));
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    throw new DomainError(
      'forbidden',
      'The signature of this url does not hold.',
      'Use the url of the grant exactly as it was given.',
    );
  }
  if (nowMs >= terms.expiresAtMs) {
    const expiredAt = new Date(terms.expiresAtMs).toISOString();
    throw new DomainError('forbidden', `This grant expired at ${expiredAt}.`, EXPIRED_HINT);
  }
  return terms;
}
