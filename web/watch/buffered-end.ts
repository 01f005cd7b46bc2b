/** Recognises that all media of an ended stream is buffered, where hls.js waits for more. Pure. */

import type { Fragment, LevelDetails } from 'hls.js';

/** A playlist that is played (picture, or audio), and how far its buffer reaches in seconds. */
export type BufferedPlaylist = Readonly<{
  playlist: Readonly<Pick<LevelDetails, 'live'>> &
    Readonly<{ fragments: readonly Pick<Fragment, 'start' | 'duration' | 'gap'>[] }>;
  bufferedTo: number;
}>;

/**
 * Media may be shorter than its playlist says: by a frame of the slowest picture, or by the sound that an
 * encoder had not written yet when it was killed.
 */
const TOLERANCE_SECONDS = 0.25;
/**
 * hls.js 1.7 finds the end by itself, but where the last segment is a gap or shorter than said, and where the
 * sound has a hole that it played over (of an encoder that was killed): there it waits for ever. False while
 * a playlist grows.
 */
export function isBufferedToEnd(playlists: readonly BufferedPlaylist[]): boolean {
  return (
    playlists.length > 0 &&
    playlists.every(({ playlist, bufferedTo }) => {
      const last = playlist.fragments.findLast(({ gap }) => !gap);
      const end = last ? last.start + last.duration : 0;
      const hasLast = last === undefined || bufferedTo > (last.start + end) / 2;
      return !playlist.live && hasLast && bufferedTo > end - TOLERANCE_SECONDS;
    })
  );
}
