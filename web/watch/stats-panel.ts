/** The stats panel: rung, bitrates, buffer, dropped frames, latency. */

import { formatBitrate } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../shared/texts.ts';
import type { PlaybackFacts } from './playback.ts';

export function createStatsPanel(
  view: HTMLElement,
  video: HTMLVideoElement,
): Readonly<{ show(facts: PlaybackFacts, delaySeconds: number): void }> {
  const panel = find(view, '.stats', HTMLDListElement);
  const button = find(view, '.stats-button', HTMLButtonElement);
  const values = new Map<string, HTMLElement>();

  button.addEventListener('click', () => {
    panel.hidden = !panel.hidden;
    button.setAttribute('aria-expanded', String(!panel.hidden));
  });

  const valueElement = (name: string): HTMLElement => {
    const row = document.createElement('div');
    const value = document.createElement('dd');
    const term = document.createElement('dt');
    term.textContent = name;
    row.append(term, value);
    panel.append(row);
    values.set(name, value);
    return value;
  };

  return {
    show(facts, delaySeconds) {
      if (panel.hidden) return;
      for (const [name, value] of rows(facts, delaySeconds, video)) {
        (values.get(name) ?? valueElement(name)).textContent = value;
      }
    },
  };
}

function rows(
  facts: PlaybackFacts,
  delaySeconds: number,
  video: HTMLVideoElement,
): (readonly [string, string])[] {
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  const quality = video.getVideoPlaybackQuality();
  const size = video.videoWidth ? ` ${video.videoWidth}×${video.videoHeight}` : '';
  return [
    [text('stats.video'), `${facts.level}${size}` || '–'],
    [text('stats.rungBitrate'), facts.levelBps ? formatBitrate(facts.levelBps) : '–'],
    [text('stats.bandwidth'), facts.bandwidthBps ? formatBitrate(facts.bandwidthBps) : '–'],
    [text('stats.buffer'), seconds(facts.bufferSeconds)],
    [
      text('stats.dropped'),
      text('stats.droppedOf', {
        dropped: quality.droppedVideoFrames,
        total: quality.totalVideoFrames,
      }),
    ],
    [text('stats.behindNewest'), facts.live ? seconds(facts.edgeSeconds) : '–'],
    [text('stats.behindLive'), facts.live ? seconds(delaySeconds) : '–'],
    [text('stats.speed'), `${video.playbackRate}×`],
    [text('stats.player'), facts.engine],
  ];
}
