/** The preview: what goes out, mirrored for the one before the camera, with the level of the microphone. */

import { formatClock } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import type { MediaSources } from './media-sources.ts';
import type { Layout } from './worker-messages.ts';

const METER_MS = 80;

export class Stage {
  readonly #frame: HTMLElement;
  readonly #main: HTMLVideoElement;
  readonly #corner: HTMLVideoElement;
  readonly #note: HTMLElement;
  readonly #live: HTMLElement;
  readonly #time: HTMLElement;
  readonly #preview: HTMLElement;
  readonly #server: HTMLIFrameElement;

  constructor(room: HTMLElement, sources: MediaSources) {
    this.#frame = find(room, '.screen-and-camera', HTMLElement);
    this.#main = find(room, '.main-picture', HTMLVideoElement);
    this.#corner = find(room, '.corner-picture', HTMLVideoElement);
    this.#note = find(room, '.stage-note', HTMLElement);
    this.#live = find(room, '.live-badge', HTMLElement);
    this.#time = find(room, '.live-time', HTMLElement);
    this.#preview = find(room, '.preview-badge', HTMLElement);
    this.#server = find(room, '.server-picture', HTMLIFrameElement);
    const meter = find(room, '.level', HTMLMeterElement);
    setInterval(() => {
      meter.value = sources.sound.level();
    }, METER_MS);
  }

  show(layout: Layout, { camera, screen }: MediaSources): void {
    this.#frame.dataset.layout = layout;
    const main = layout === 'camera' ? camera : layout === 'none' ? undefined : screen;
    play(this.#main, main);
    play(this.#corner, layout === 'both' ? camera : undefined);
    this.#corner.hidden = layout !== 'both';
  }

  /** `forMs`: after which it goes, if nothing else has been said. */
  say(words: string, forMs?: number): void {
    this.#note.textContent = words;
    if (forMs === undefined) return;
    setTimeout(() => {
      if (this.#note.textContent === words) this.#note.textContent = '';
    }, forMs);
  }

  /** undefined: not live. */
  showTime(liveSinceMs: number | undefined): void {
    this.#live.hidden = liveSinceMs === undefined;
    this.#time.hidden = liveSinceMs === undefined;
    this.#preview.hidden = liveSinceMs !== undefined;
    if (liveSinceMs !== undefined) {
      this.#time.textContent = formatClock((Date.now() - liveSinceMs) / 1000);
    }
  }

  /** The player of the embed page in place of the preview. */
  showServer(videoId: string | undefined): void {
    this.#server.hidden = videoId === undefined;
    if (videoId === undefined) this.#server.removeAttribute('src');
    else this.#server.src = `/embed/${encodeURIComponent(videoId)}`;
  }
}

function play(video: HTMLVideoElement, track: MediaStreamTrack | undefined): void {
  const shown = video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] : undefined;
  if (shown !== track) video.srcObject = track ? new MediaStream([track]) : null;
}
