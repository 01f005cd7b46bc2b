/** Room for the files that viewers save of a stream. */

import { savedFilesPrefix } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import type { WorkerDeps } from '../deps.ts';

/** Of one stream. Viewers need no key. */
const MAX_SAVED_FILES = 100;

/** Files are made again when they are asked for again: those that there are make room when they are many. */
export async function makeRoom({ media }: WorkerDeps, stream: Stream): Promise<void> {
  const keys = await media.list(savedFilesPrefix(stream));
  if (keys.length >= MAX_SAVED_FILES) await media.delete(keys);
}
