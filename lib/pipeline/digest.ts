/** What bytes are called: objects are named by their content, and repetitions known by it. */

import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/** sha-256, hex. */
export const digestOf = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

const PIECE_BYTES = 4 << 20;

/** The same of bytes of any length: others are served meanwhile. */
export async function digestInPieces(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(bytes.subarray(0, PIECE_BYTES));
  for (let at = PIECE_BYTES; at < bytes.byteLength; at += PIECE_BYTES) {
    await setImmediate();
    hash.update(bytes.subarray(at, at + PIECE_BYTES));
  }
  return hash.digest('hex');
}
