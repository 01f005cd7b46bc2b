/** Asks the server for new markers while the page is visible. */

import type { MarkerList } from '../../lib/api/messages.ts';
import { listMarkers } from '../shared/stream-api.ts';

/** A new marker shows within two seconds, of which a CDN may keep an answer for one. */
const LIVE_MS = 1000;
const RECORDING_MS = 15_000;
const FAILED_MS = 5000;

/** Returns a function that ends it. */
export function followMarkers(
  videoId: string,
  version: () => number,
  isLive: () => boolean,
  onNews: (news: MarkerList) => void,
): () => void {
  const ending = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask(): Promise<void> {
    clearTimeout(timer);
    if (ending.signal.aborted || document.hidden) return;
    const news = await listMarkers(videoId, version(), ending.signal).catch(() => undefined);
    if (ending.signal.aborted) return;
    if (news) onNews(news);
    timer = setTimeout(ask, news ? (isLive() ? LIVE_MS : RECORDING_MS) : FAILED_MS);
  }

  document.addEventListener('visibilitychange', () => void ask(), { signal: ending.signal });
  void ask();
  return () => {
    ending.abort();
    clearTimeout(timer);
  };
}
