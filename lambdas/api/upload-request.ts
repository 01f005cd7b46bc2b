/** What all calls of an encoder have in common: a stream that its key opens, and names of files. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { credentialOf, openForUpload } from '../../lib/pipeline/auth.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import type { Versioned } from '../../lib/pipeline/records/stream-records.ts';
import type { HttpEvent } from '../runtime/middleware.ts';

/** Comes before any other check: who has no key learns nothing, and is asked for it. */
export async function openStream(deps: Deps, event: HttpEvent): Promise<Versioned<Stream>> {
  const videoId = parseVideoId(event.pathParameters?.videoId);
  return openForUpload(deps, videoId, credentialOf(event.headers.authorization));
}

/** Throws `bad_name`. */
export function fileName(event: HttpEvent): string {
  const name = event.pathParameters?.name ?? '';
  if (/^[\w][\w.~@+=-]{0,199}$/.test(name) && !name.includes('..')) return name;
  throw new DomainError(
    'bad_name',
    `"${name}" is no file name that can be taken.`,
    'Use letters, digits, ".", "_" and "-"; no folders.',
  );
}
