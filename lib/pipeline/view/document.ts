/** A text as it is sent: plain or compressed, with its entity tag. */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export type Document = Readonly<{
  text: string;
  gzip: Uint8Array;
  /** Of the plain text; the compressed one has another (RFC 9110, 8.8.3). */
  etag: string;
  /** Of one that is too long to be kept as text: stores the plain text as an object, and says its path. */
  store?(): Promise<string>;
}>;

export const GZIP_LEVEL = 4;

export const documentOf = (text: string): Document => ({
  text,
  gzip: gzipSync(text, { level: GZIP_LEVEL }),
  etag: tagOf(text),
});

/** `content`: the text itself, or what it follows from. */
export const tagOf = (content: string): string =>
  `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;

/** Of the compressed text. */
export const gzipTag = (etag: string): string => etag.replace(/"$/, '-gzip"');
