/** Run by a test as a process of its own: tries to lock a data folder, says how it went, and waits. */

import { lockDataFolder } from '../../lib/embedded/data-folder.ts';

try {
  lockDataFolder(process.argv[2] ?? '');
  // The lock must not depend on somebody who keeps the answer.
  globalThis.gc?.();
  process.send?.('locked');
} catch (error) {
  process.send?.(error instanceof Error ? error.message : error);
}
process.on('message', () => {});
