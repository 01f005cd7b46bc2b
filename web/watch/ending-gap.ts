/** Recognises that all media before the gap with which an ended stream closes is buffered. Pure. */

import type { Fragment, LevelDetails } from 'hls.js';

/** A playlist that is played (picture, or audio), and how far its buffer reaches in seconds. */
export type BufferedPlaylist = Readonly<{
  playlist: Readonly<Pick<LevelDetails, 'live'>> &
    Readonly<{ fragments: readonly Pick<Fragment, 'start' | 'duration' | 'gap'>[] }>;
  bufferedTo: number;
}>;

/** Media may be shorter than its playlist says by a frame of the slowest picture, or of audio. */
const TOLERANCE_SECONDS = 0.25;

/** False while a playlist grows, and when none ends with a gap: then the player finds the end by itself. */
export function isBufferedToEndingGap(playlists: readonly BufferedPlaylist[]): boolean {
  return (
    playlists.some(({ playlist }) => playlist.fragments.at(-1)?.gap) &&
    playlists.every(({ playlist, bufferedTo }) => {
      const last = playlist.fragments.findLast(({ gap }) => !gap);
      const end = last ? last.start + last.duration : 0;
      return !playlist.live && bufferedTo > end - TOLERANCE_SECONDS;
    })
  );
}
