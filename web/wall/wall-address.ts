/** The addresses of a wall, and of its streams for other players. Pure. */

export const MAX_STREAMS = 64;

const VIDEO_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The streams that `?streams=a,b` names, each once; undefined without it: the wall shows what is live. */
export function streamsOf(search: string): readonly string[] | undefined {
  const named = new URLSearchParams(search).get('streams');
  if (named === null) return undefined;
  const ids = named.split(',').map((id) => id.trim());
  return [...new Set(ids.filter((id) => VIDEO_ID.test(id)))].slice(0, MAX_STREAMS);
}

/** For a link: it names streams and nothing else. */
export const searchOf = (videoIds: readonly string[]): string => `?streams=${videoIds.join(',')}`;

/** What other players open. */
export const playlistAddress = (origin: string, videoId: string): string =>
  `${origin}/viewstream/metadata/${encodeURIComponent(videoId)}.m3u8`;

/** Opens VLC where it is installed. */
export const vlcAddress = (address: string): string => `vlc://${address}`;

/** A playlist file that players open. A title of several lines would begin another entry. */
export const playlistFile = (title: string, address: string): string =>
  `#EXTM3U\n#EXTINF:-1,${title.replaceAll(/\p{Cc}+/gu, ' ')}\n${address}\n`;

/** `front-door-2026-01-31T08-15-00.m3u`; `atMs`: Unix time, where the file is of an instant. */
export function fileName(videoId: string, extension: string, atMs?: number): string {
  const time = atMs === undefined ? '' : `-${new Date(atMs).toISOString().slice(0, 19)}`;
  return `${videoId}${time.replaceAll(':', '-')}.${extension}`;
}
