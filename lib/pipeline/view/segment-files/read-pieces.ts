/** Reads the objects of renditions from the store. All throw `moment_not_found` for one that is gone. */

import { DomainError } from '../../../domain/errors.ts';
import type { AudioPieces } from '../../../media/mux/remux.ts';
import type { MediaStore } from '../../../ports/ports.ts';

type Store = Readonly<{ media: Pick<MediaStore, 'get'> }>;

/** Object keys of a piece of a rendition. */
export type PieceKeys = Readonly<{ initKey: string; key: string }>;

/** Object keys of an audio rendition's pieces: at an entry, and at its neighbours, which reach into it. */
export type SoundKeys = Readonly<{
  initKey: string;
  keys: readonly string[];
  /** BCP 47, or `und`. */
  language: string;
}>;

export async function readPiece(
  store: Store,
  { initKey, key }: PieceKeys,
): Promise<{ init: Uint8Array; media: Uint8Array }> {
  const [init, media] = await Promise.all([readObject(store, initKey), readObject(store, key)]);
  return { init, media };
}

export async function readAudio(
  store: Store,
  { initKey, keys, language }: SoundKeys,
): Promise<AudioPieces> {
  const [init, media] = await Promise.all([
    readObject(store, initKey),
    Promise.all(keys.map((key) => readObject(store, key))),
  ]);
  return { init, media, language };
}

async function readObject({ media }: Store, key: string): Promise<Uint8Array> {
  const bytes = await media.get(key);
  if (bytes) return bytes;
  throw new DomainError(
    'moment_not_found',
    `The media of this segment is no longer kept: ${key}.`,
    'Ask for a later moment.',
  );
}
