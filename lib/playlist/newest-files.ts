/** The newest files of a playlist that an encoder pushes: all of it that a push needs, however long it is. */

import {
  type ListedFile,
  listedFiles,
  type PushedMultivariantPlaylist,
  parsePushedPlaylist,
} from './pushed-playlist.ts';

export type NewestFiles = Readonly<{
  type: 'media';
  targetDurationSeconds: number;
  ended: boolean;
  iFramesOnly: boolean;
  /** As in the playlist; absent if there are none. */
  encryption?: string;
  parts?: readonly string[];
  /** The last of them, in order. */
  files: readonly ListedFile[];
  /** Of all. */
  fileCount: number;
}>;

/** Of a pushed file, in UTF-8. */
export const MAX_NAME_BYTES = 255;

/** `name`: that the playlist is pushed under. Throws `bad_request` and `too_large`. */
export function readNewestFiles(
  bytes: Uint8Array,
  name: string,
  maxFiles: number,
): NewestFiles | PushedMultivariantPlaylist {
  const playlist = parsePushedPlaylist(Buffer.from(bytes).toString('utf8'));
  if (playlist.type === 'multivariant') return playlist;
  const files = listedFiles(playlist, name).filter((file) => canBePushed(file.name));
  const { type, targetDurationSeconds, ended, iFramesOnly = false, encryption, parts } = playlist;
  return {
    ...{ type, targetDurationSeconds, ended, iFramesOnly },
    ...(encryption !== undefined && { encryption }),
    ...(parts && { parts }),
    files: files.slice(-maxFiles),
    fileCount: files.length,
  };
}

/** Names that no request can have are no keys of records either. */
const canBePushed = (name: string): boolean =>
  name !== '' && Buffer.byteLength(name) <= MAX_NAME_BYTES && !/\p{Cc}/u.test(name);
