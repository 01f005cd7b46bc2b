/** Clips on the watch page: one that the link names, which is all that plays, and those that a viewer marks. */

import type { StreamView } from '../../../lib/api/messages.ts';
import { find } from '../../shared/page-elements.ts';
import { watchPath } from '../../shared/route.ts';
import type { Timeline } from '../marker-panel.ts';
import type { Playback } from '../playback.ts';
import { type ClipPanel, connectClipPanel } from './clip-panel.ts';
import { clipPlaylist, parseClipLink, positionsOf } from './clip-range.ts';
import { createSpanPlayer, INTO_FRAME_SECONDS, type Span } from './span-player.ts';

export type ClipView = Readonly<{
  /** Whether the link of the page names a clip. */
  isClip: boolean;
  /** Plays the clip that the link names in place of the stream. */
  wrap(playback: Playback): Playback;
  follow(stream: StreamView | undefined, timeline: Timeline): void;
  disconnect(): void;
}>;

const DEFAULT_FRAMES_PER_SECOND = 30;

export function connectClips(
  view: HTMLElement,
  video: HTMLVideoElement,
  videoId: string,
): ClipView {
  const link = parseClipLink(new URLSearchParams(location.search));
  const over = find(view, '.clip-over', HTMLElement);
  let playback: Playback | undefined;
  let stream: StreamView | undefined;
  let span: Span | undefined;

  const frameSeconds = (): number => {
    const rates = stream?.renditions.map(({ framesPerSecond = 0 }) => framesPerSecond) ?? [];
    return 1 / (Math.max(0, ...rates) || DEFAULT_FRAMES_PER_SECOND);
  };
  const player = createSpanPlayer(video, frameSeconds, () => {
    over.hidden = link === undefined;
  });
  const panel: ClipPanel = connectClipPanel(view, video, videoId, {
    player,
    frameSeconds,
    instantOf: (position) => playback?.instantOf(position),
  });

  const hideOver = (): void => {
    over.hidden = true;
  };
  video.addEventListener('play', hideOver);
  find(over, '.clip-again', HTMLButtonElement).addEventListener('click', () => player.play(span));
  const all = find(over, '.clip-all', HTMLAnchorElement);
  if (link) all.href = `${watchPath(videoId)}?t=${link.from}`;

  /** As soon as its playlist is there. */
  function boundClip({ end, positionOf }: Timeline): void {
    if (!link || span || !playback || video.readyState === 0 || end === 0) return;
    const start = playback.startPosition() ?? video.currentTime;
    span = positionsOf(link, start, positionOf, end);
    player.bound(span);
    const instantAt = (position: number): number | undefined =>
      playback?.instantOf(position + INTO_FRAME_SECONDS);
    const fromMs = instantAt(span.start);
    const lastMs = instantAt(span.end - 2 * INTO_FRAME_SECONDS);
    if (fromMs === undefined || lastMs === undefined) return;
    const early = 1000 * INTO_FRAME_SECONDS;
    panel.mark({ fromMs: fromMs - early, toMs: lastMs + early });
  }

  return {
    isClip: link !== undefined,
    wrap(inner) {
      playback = inner;
      if (!link) return inner;
      const address = clipPlaylist(videoId, link);
      return { ...inner, load: (_, options) => inner.load(address, options) };
    },
    follow(next, timeline) {
      stream = next;
      panel.follow(next, timeline);
      boundClip(timeline);
    },
    disconnect() {
      panel.disconnect();
      player.disconnect();
      video.removeEventListener('play', hideOver);
    },
  };
}
