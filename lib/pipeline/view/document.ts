/** A text as it is sent: plain or compressed, with its entity tag. */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export type Document = Readonly<{
  text: string;
  gzip: Uint8Array;
  /** Of the plain text; the compressed one has another (RFC 9110, 8.8.3). */
  etag: string;
}>;

export const documentOf = (text: string): Document => ({
  text,
  gzip: gzipSync(text, { level: 4 }),
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});

/** Of the compressed text. */
export const gzipTag = (etag: string): string => etag.replace(/"$/, '-gzip"');
