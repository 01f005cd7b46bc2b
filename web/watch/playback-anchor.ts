/** Restores a viewer's position after a reload of the playlists, when positions count from another zero. Pure. */

import type { Fragment, LevelDetails } from 'hls.js';

/** `edge`: position at which the playlist ends; `programDateTime` in milliseconds, if the playlist has it. */
export type AnchoredPlaylist = Readonly<Pick<LevelDetails, 'live' | 'edge' | 'fragmentStart'>> &
  Readonly<{ fragments: readonly Pick<Fragment, 'start' | 'duration' | 'programDateTime'>[] }>;

export type Anchor = Readonly<{ live: boolean; fromEndSeconds: number; shownAtMs?: number }>;

/** Undefined when no playlist was loaded. */
export function anchorOf(
  playlist: AnchoredPlaylist | null,
  { currentTime }: Readonly<{ currentTime: number }>,
): Anchor | undefined {
  if (!playlist) return undefined;
  const shown = playlist.fragments.find(
    ({ start, duration }) => currentTime >= start && currentTime < start + duration,
  );
  return {
    live: playlist.live,
    fromEndSeconds: Math.max(0, playlist.edge - currentTime),
    ...(shown?.programDateTime == null
      ? {}
      : { shownAtMs: shown.programDateTime + (currentTime - shown.start) * 1000 }),
  };
}

/** Restored by the wall clock; else, if the stream had ended, by the distance from its end; else -1: hls.js's default. */
export function positionOf(anchor: Anchor, playlist: AnchoredPlaylist): number {
  const { shownAtMs } = anchor;
  if (shownAtMs !== undefined) {
    const fragment = playlist.fragments.findLast(
      ({ programDateTime }) => programDateTime !== null && programDateTime <= shownAtMs,
    );
    if (fragment?.programDateTime != null) {
      const into = (shownAtMs - fragment.programDateTime) / 1000;
      return fragment.start + Math.min(into, fragment.duration);
    }
  }
  if (playlist.live !== anchor.live || playlist.live) return -1;
  return Math.max(playlist.fragmentStart, playlist.edge - anchor.fromEndSeconds);
}
