/** The module of inspection threads, but for bodies that say so: those spin until the file that they name is there. */

import { existsSync } from 'node:fs';
import { inspectInit, inspectSegment } from '../../lib/media/inspect.ts';
import { serveTasks } from '../../lib/media/threads/tasks.ts';
import { readNewestFiles } from '../../lib/playlist/newest-files.ts';

const SPIN = 'spin until there is ';

serveTasks({
  inspectInit,
  readNewestFiles: async (...args: Parameters<typeof readNewestFiles>) => readNewestFiles(...args),
  inspectSegment: async (bytes: Uint8Array, init?: Uint8Array) => {
    const text = Buffer.from(bytes.subarray(0, 1000)).toString('latin1');
    const path = text.startsWith(SPIN) ? text.slice(SPIN.length) : undefined;
    while (path !== undefined && !existsSync(path));
    return inspectSegment(bytes, init);
  },
});
