/** Finding a viewer's place again after playlists were loaded anew, when times count from another zero. Pure. */

export type AnchoredPlaylist = Readonly<{
  live: boolean;
  /** Position at which the playlist ends. */
  edge: number;
  fragmentStart: number;
  fragments: readonly Readonly<{
    start: number;
    duration: number;
    /** Wall clock of its start in milliseconds, if the playlist says it. */
    programDateTime: number | null;
  }>[];
}>;

export type Anchor = Readonly<{ live: boolean; fromEndSeconds: number; shownAtMs?: number }>;

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

/** By the wall clock; else, if the end is where it was, by the distance from it; else -1: the default. */
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
