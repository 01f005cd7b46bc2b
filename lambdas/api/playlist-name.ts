/** Names of media playlists in addresses. */

import { DomainError } from '../../lib/domain/errors.ts';

/** `720p` of `720p.m3u8`, as in `listsOf`. Throws `rendition_not_found` for what is no playlist's name. */
export function parsePlaylistName(text: string | undefined): string {
  const name = text?.match(/^([a-z0-9-]{1,32}(?:\.[a-z]+)?)\.m3u8$/)?.[1];
  if (name !== undefined) return name;
  throw new DomainError(
    'rendition_not_found',
    `"${text}" is not a playlist's name.`,
    'Use the URIs of the multivariant playlist, as in 720p.m3u8.',
  );
}
