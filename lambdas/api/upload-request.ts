/** Common to all calls of an encoder: the stream that its key opens, and file names. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { openForUpload, requireKey } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import type { Versioned } from '../../lib/pipeline/records/record-types.ts';
import type { HttpEvent } from '../runtime/middleware.ts';
import { keyOf } from '../runtime/request-key.ts';

/** Comes before any other check: a client without a key learns nothing, and is asked for one. */
export async function openStream(deps: Deps, event: HttpEvent): Promise<Versioned<Stream>> {
  const key = requireKey(keyOf(event));
  return openForUpload(deps, parseVideoId(event.pathParameters?.videoId), key);
}

/** Throws `bad_name`. */
export function fileName(event: HttpEvent): string {
  const name = event.pathParameters?.name ?? '';
  if (/^[\w][\w.~@+=-]{0,199}$/.test(name) && !name.includes('..')) return name;
  throw new DomainError(
    'bad_name',
    `"${name}" is not an allowed file name.`,
    'Use letters, digits, ".", "_" and "-"; no folders.',
  );
}
