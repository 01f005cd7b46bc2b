/** A whole media playlist as text. */

import {
  ENDLIST,
  formatHeader,
  formatSegment,
  type MediaPlaylistHeader,
  type MediaSegment,
} from '../../lib/playlist/hls-media.ts';

export type MediaPlaylist = MediaPlaylistHeader &
  Readonly<{ ended: boolean; segments: readonly MediaSegment[] }>;

export function formatMediaPlaylist({ ended, segments, ...header }: MediaPlaylist): string {
  const lines = segments.map((segment, index) =>
    formatSegment(segment, segments[index - 1]?.mapUri),
  );
  return [formatHeader(header), ...lines, ended ? ENDLIST : ''].join('');
}
