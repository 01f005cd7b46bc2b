/** A text as it is sent: plain or compressed, with its entity tag. */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export type Document = Readonly<{ text: string; gzip: Uint8Array; etag: string }>;

export const documentOf = (text: string): Document => ({
  text,
  gzip: gzipSync(text, { level: 4 }),
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});
