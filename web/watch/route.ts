/** The page's addresses. They live in the fragment, so that any file server can serve the one page. Pure. */

export type Route = Readonly<{ page: 'list' }> | Readonly<{ page: 'watch'; videoId: string }>;

/** `#/` lists streams, `#/watch/ID` shows one; anything else is the list. */
export function parseRoute(hash: string): Route {
  const videoId = hash.match(/^#\/watch\/([^/?&]+)/)?.[1];
  return videoId === undefined ? { page: 'list' } : { page: 'watch', videoId: decode(videoId) };
}

export const watchHash = (videoId: string): string => `#/watch/${encodeURIComponent(videoId)}`;

/** The key of `#key=…` or `#/…?key=…`, and the fragment without it; undefined if there is none. */
export function takeKey(hash: string): Readonly<{ key: string; hash: string }> | undefined {
  const match = hash.match(/[#?&]key=([^&]+)/);
  if (match?.[1] === undefined) return undefined;
  const rest = hash.replace(match[0], match[0].startsWith('#') ? '#' : '').replace(/^#&?$/, '#/');
  return { key: decode(match[1]), hash: rest };
}

/** What someone may paste to open a stream: an id, or a link to it. */
export function videoIdFrom(text: string): string {
  const trimmed = text.trim();
  const linked = trimmed.match(/#\/watch\/([^/?&]+)/) ?? trimmed.match(/\/metadata\/([^/?&]+)/);
  return linked?.[1] === undefined ? trimmed : decode(linked[1]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
