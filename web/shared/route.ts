/** The addresses of the pages. Pure. */

/** `/watch/ID` shows a stream. */
export const watchPath = (videoId: string): string => `/watch/${encodeURIComponent(videoId)}`;

/** The stream that a path of the watch or the embed page names; undefined for other paths. */
export function videoIdOf(pathname: string): string | undefined {
  const videoId = pathname.match(/^\/(?:watch|embed)\/([^/]+)\/?$/)?.[1];
  return videoId === undefined ? undefined : decode(videoId);
}

/** The stream of an old link, which had its page in the fragment: `#/watch/ID`. */
export function videoIdOfOldLink(hash: string): string | undefined {
  const videoId = hash.match(/^#\/watch\/([^/?&]+)/)?.[1];
  return videoId === undefined ? undefined : decode(videoId);
}

/** The key of `#key=…` or `#/…?key=…`, and the fragment without it; undefined if there is none. */
export function takeKey(hash: string): Readonly<{ key: string; hash: string }> | undefined {
  const match = hash.match(/[#?&]key=([^&]+)/);
  if (match?.[1] === undefined) return undefined;
  const rest = hash.replace(match[0], match[0].startsWith('#') ? '#' : '').replace(/^#&?$/, '');
  return { key: decode(match[1]), hash: rest };
}

/** What someone may paste to open a stream: an id, or a link to it. */
export function videoIdFrom(text: string): string {
  const trimmed = text.trim();
  const linked = trimmed.match(
    /\/(?:watch|embed|viewstream\/metadata|viewstream)\/([^/?&#]+?)(?:\.m3u8)?(?:[/?&#]|$)/,
  );
  return linked?.[1] === undefined ? trimmed : decode(linked[1]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
