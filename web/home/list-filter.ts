/** Which streams the list shows. Pure. */

import type { StreamView } from '../../lib/api/messages.ts';

export const KINDS = ['all', 'live', 'recordings'] as const;
export type Kind = (typeof KINDS)[number];

/** Those that are on or still to come count as live. */
const isOf = (kind: Kind, { state }: Pick<StreamView, 'state'>): boolean =>
  kind === 'all' || (kind === 'recordings') === (state === 'ended');

/** In any spelling: without accents, in lower case. */
const plain = (text: string): string =>
  text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase('en');

/** Each word of `search` stands somewhere in the title or the id. */
export function shownStreams<Shown extends Pick<StreamView, 'state' | 'title' | 'videoId'>>(
  streams: readonly Shown[],
  kind: Kind,
  search: string,
): readonly Shown[] {
  const words = plain(search).split(/\s+/);
  return streams.filter((stream) => {
    const said = plain(`${stream.title} ${stream.videoId}`);
    return isOf(kind, stream) && words.every((word) => said.includes(word));
  });
}
