/** Init segments of encoders that send fragments, by themselves or as files. */

import { DomainError } from '../../domain/errors.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { sourceInitKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import { ensureStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { digestOf } from '../digest.ts';
import type { Versioned } from '../records/record-types.ts';
import { changeNaming } from './push-naming.ts';

/** They have about a kilobyte. Each fragment is read with its own. */
const MAX_INIT_BYTES = 1 << 20;
/** Names of init segments that are told apart: one for each variant. */
const KEPT_INITS = 16;

/** Of records: a run of an encoder, and a file's name where it has several init segments. */
export const initScope = (session = '', name = ''): string => `${session}/${name}`;

/**
 * Kept for the fragments that follow it. A new one does not touch fragments that came before.
 * Throws what is wrong with it. `name`: of the file, if it was pushed as one.
 */
export async function storeInit(
  deps: Deps,
  stream: Versioned<Stream>,
  bytes: Uint8Array,
  session?: string,
  name?: string,
): Promise<void> {
  const { records, media } = deps;
  if (bytes.byteLength > MAX_INIT_BYTES) {
    throw new DomainError(
      'too_large',
      `The init segment has ${bytes.byteLength} bytes; at most ${MAX_INIT_BYTES} are taken.`,
      'Send the boxes ftyp and moov alone, without pictures or other data in them.',
    );
  }
  await deps.inspection.run('inspectInit', stream.value.videoId, [bytes]);
  const digest = digestOf(bytes);
  const { value: created } = await ensureStream(deps, stream);
  const key = sourceInitKey(created, digest);
  await media.put(key, bytes, MEDIA_FORMATS.mp4.contentType);
  if (name !== undefined) {
    await records.putSourceInit(created, initScope(session, name), { key, digest });
    await changeNaming(records, created, session, (naming) => ({
      ...naming,
      inits: [...naming.inits.filter((one) => one !== name), name].slice(-KEPT_INITS),
    }));
  }
  await records.putSourceInit(created, session ?? '', { key, digest });
}
