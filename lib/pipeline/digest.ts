/** What bytes are called: objects are named by their content, and repetitions known by it. */

import { createHash } from 'node:crypto';

/** sha-256, hex. */
export const digestOf = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');
