/** Handler of the ingest queue: apart from the others, which need no demuxer. */

import { storedKeys } from '../../lib/aws/upload-completed-queue.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { commitPresigned } from '../../lib/pipeline/ingest/presigned-upload.ts';
import { queueHandler } from '../runtime/middleware.ts';

/** S3 itself reports objects there, at times several at once; a commit done twice changes nothing. */
export const uploadCompletedHandler = (deps: Deps) =>
  queueHandler({ parse: storedKeys }, async (keys) => {
    for (const key of keys) await commitPresigned(deps, key);
  });
