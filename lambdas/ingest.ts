/** Handler of the ingest queue: apart from the others, which need no demuxer. */

import { storedKeys } from '../lib/aws/object-stored-queue.ts';
import type { Deps } from '../lib/pipeline/deps.ts';
import { commitGranted } from '../lib/pipeline/grant.ts';
import { queueHandler } from './middleware.ts';

/** S3 itself reports objects there, at times several at once; a commit done twice changes nothing. */
export const ingestHandler = (deps: Deps) =>
  queueHandler({ parse: storedKeys }, async (keys) => {
    for (const key of keys) await commitGranted(deps, key);
  });
