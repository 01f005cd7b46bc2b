/** The stats panel: rung, bitrates, buffer, dropped frames, latency. */

import type { StreamView } from '../../lib/api/messages.ts';
import { formatBitrate } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import type { PlaybackFacts } from './playback.ts';

const REFRESH_MS = 4000;

export function createStatsPanel(
  view: HTMLElement,
  video: HTMLVideoElement,
  /** Called every few seconds while it is open. */
  refresh: () => void,
): Readonly<{ show(facts: PlaybackFacts, delaySeconds: number, hops?: Hops): void }> {
  const panel = find(view, '.stats', HTMLDListElement);
  const button = find(view, '.stats-button', HTMLButtonElement);
  const values = new Map<string, HTMLElement>();
  let refreshAtMs = 0;

  button.addEventListener('click', () => {
    panel.hidden = !panel.hidden;
    button.setAttribute('aria-expanded', String(!panel.hidden));
    refreshAtMs = 0;
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
    show(facts, delaySeconds, hops) {
      if (panel.hidden) return;
      if (performance.now() >= refreshAtMs) {
        refreshAtMs = performance.now() + REFRESH_MS;
        refresh();
      }
      const shown = [...rows(facts, delaySeconds, video), ...hopRows(facts, delaySeconds, hops)];
      for (const [name, value] of shown) {
        (values.get(name) ?? valueElement(name)).textContent = value;
      }
    },
  };
}

type Hops = StreamView['newestHops'];

/** Where the delay of a live viewer comes from: what the steps before the player took, and the rest. */
function hopRows(
  { live }: PlaybackFacts,
  delaySeconds: number,
  hops: Hops,
): (readonly [string, string])[] {
  const seconds = (value: number): string =>
    live && hops ? text('span.seconds', { count: value.toFixed(1) }) : '–';
  const { upload = 0, queue = 0, transcode = 0, list = 0 } = hops ?? {};
  const player = Math.max(0, delaySeconds - upload - queue - transcode - list);
  return [
    [text('stats.hopUpload'), seconds(upload)],
    [text('stats.hopQueue'), seconds(queue)],
    [text('stats.hopTranscode'), seconds(transcode)],
    [text('stats.hopList'), seconds(list)],
    [text('stats.hopPlayer'), seconds(player)],
  ];
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
    [text('stats.switches'), String(facts.levelSwitches)],
    [text('stats.behindNewest'), facts.live ? seconds(facts.edgeSeconds) : '–'],
    [text('stats.behindLive'), facts.live ? seconds(delaySeconds) : '–'],
    [text('stats.speed'), `${video.playbackRate}×`],
    [text('stats.player'), facts.engine],
  ];
}
