/** One stream of the wall: its picture, its name, state and delay, and what can be done with it. */

import { formatSpan } from '../shared/format-time.ts';
import { find, instantiate } from '../shared/page-elements.ts';
import { type Badge, badgeOf } from '../shared/stream-summary.ts';
import { text } from '../texts/text.ts';
import type { PlaybackFacts } from '../watch/playback.ts';
import type { Viewing } from '../watch/viewing.ts';
import { describeViewing } from '../watch/viewing-message.ts';
import type { LiveStatus, SessionListener } from '../watch/viewing-session.ts';
import { instantAt } from '../watch/wall-clock.ts';
import { correctionOf } from './step-keeping.ts';
import { connectTileActions } from './tile-actions.ts';
import { createTilePlayer, type TilePlayer } from './tile-player.ts';
import { isCovered, type Span, spansOf } from './wall-timeline.ts';

export type TileListener = Readonly<{
  enlarge(tile: Tile): void;
  /** Something was done, to be told in words. */
  told(words: string): void;
}>;

/** A playlist that did not grow for so many target durations says nothing about the live delay. */
const FRESH_TARGETS = 1.5;
const SPANS_MS = 1000;
/** A camera may be switched on after the wall. */
const TRY_AGAIN_MS = 5000;
/** A stream that cannot keep in step, as its clock is far off, stays at its own live edge. */
const MOST_BEHIND_SECONDS = 10;

export class Tile {
  readonly videoId: string;
  readonly element: HTMLElement;
  title: string;
  /** When its stream has media; of a tile that is out of view as it was last known. */
  spans: readonly Span[] = [];
  /** The one on the screen, and the one of another quality that comes next. */
  #player: TilePlayer | undefined;
  #next: TilePlayer | undefined;
  #isEnlarged = false;
  #isShown = false;
  #badge: Badge = { text: '', tone: 'soon' };
  #message = '';
  #delaySeconds: number | undefined;
  #newestSegment = 0;
  #grownAtMs = 0;
  #spansAtMs = 0;

  constructor(videoId: string, listener: TileListener) {
    this.videoId = videoId;
    this.title = videoId;
    this.element = instantiate('tile-template');
    this.element.dataset.videoId = videoId;
    find(this.element, '.tile-open', HTMLButtonElement).addEventListener('click', () =>
      listener.enlarge(this),
    );
    connectTileActions(this.element, this, listener.told);
    this.#describe();
  }

  get video(): HTMLVideoElement | undefined {
    return this.#player?.video;
  }

  get isEnlarged(): boolean {
    return this.#isEnlarged;
  }

  get isLive(): boolean {
    return this.#player?.playback.facts().live ?? false;
  }

  /** The instant on the screen; Unix time in milliseconds. */
  get shownAtMs(): number | undefined {
    return this.#player?.playback.facts().shownAtMs;
  }

  /** In view it plays; out of view nothing is loaded. */
  show(isShown: boolean): void {
    if (isShown === this.#isShown) return;
    this.#isShown = isShown;
    if (isShown) {
      this.#player = this.#start(this.#isEnlarged ? 'full' : 'smallest');
      this.#player.video.muted = !this.#isEnlarged;
      find(this.element, '.tile-picture', HTMLElement).replaceChildren(this.#player.video);
    } else this.#stop();
  }

  /** The picture goes on until the other quality has one. */
  enlarge(isEnlarged: boolean): void {
    if (isEnlarged === this.#isEnlarged) return;
    this.#isEnlarged = isEnlarged;
    this.element.toggleAttribute('data-enlarged', isEnlarged);
    if (this.#player) this.#player.video.muted = true;
    this.#next?.end();
    this.#next = undefined;
    if (this.#isShown) {
      this.#next = this.#start(isEnlarged ? 'full' : 'smallest');
      // Below the present picture, where it has its size already: the rung is chosen by it.
      find(this.element, '.tile-picture', HTMLElement).prepend(this.#next.video);
    }
    this.#describe();
  }

  toggleSound(): void {
    if (this.#player) this.#player.video.muted = !this.#player.video.muted;
    this.#describe();
  }

  remove(): void {
    this.#stop();
    this.element.remove();
  }

  /** How far behind now its stream can be played without a stall; undefined unless it is live and grows. */
  liveDelayMs(nowMs: number): number | undefined {
    if (!this.#player) return undefined;
    const { video, playback } = this.#player;
    const { live, newestSegment, targetDurationSeconds, behindSeconds } = playback.facts();
    if (!live) return undefined;
    if (newestSegment !== this.#newestSegment) this.#grownAtMs = nowMs;
    this.#newestSegment = newestSegment;
    if (nowMs - this.#grownAtMs > FRESH_TARGETS * 1000 * targetDurationSeconds) return undefined;
    // Not from the picture on the screen: an encoder may have been away since then.
    const edgeMs = instantAt(playback.segments(), video.currentTime + behindSeconds);
    return edgeMs === undefined ? undefined : nowMs - edgeMs;
  }

  /** Whether it has media at an instant and no picture of it yet. */
  isLoading(targetMs: number): boolean {
    const { video } = this;
    return (
      video !== undefined &&
      isCovered(this.spans, targetMs) &&
      (video.seeking || video.readyState < 3)
    );
  }

  /** Brings the picture nearer to that of the instant; undefined: nobody knows of one yet. */
  follow(targetMs: number | undefined, isPaused: boolean, nowMs: number): void {
    if (nowMs - this.#spansAtMs >= SPANS_MS) {
      this.#spansAtMs = nowMs;
      const segments = this.#player?.playback.segments() ?? [];
      if (segments.length > 0) this.spans = spansOf(segments);
    }
    if (targetMs === undefined) return;
    if (this.#player) this.#keepInStep(this.#player, targetMs, isPaused);
    if (this.#next && this.#keepInStep(this.#next, targetMs, isPaused)) this.#swapIn(this.#next);
  }

  /** Whether it shows a picture that is near. */
  #keepInStep({ video, playback }: TilePlayer, targetMs: number, isPaused: boolean): boolean {
    const isOutside = this.spans.length > 0 && !isCovered(this.spans, targetMs);
    // What comes next is not there yet: it plays out, and says by itself why it stops.
    const isNowhere = isOutside && targetMs < (this.spans.at(-1)?.toMs ?? 0);
    this.element.toggleAttribute('data-nowhere', isNowhere);
    const holds = isPaused || isNowhere;
    if (holds && !video.paused) video.pause();
    if (!holds && video.paused && !video.ended && video.readyState > 0) {
      void video.play().catch(() => undefined);
    }
    if (video.readyState === 0 || video.seeking) return false;
    const position = isOutside ? undefined : playback.positionOf(targetMs);
    if (position === undefined) {
      video.playbackRate = 1;
      const { live, behindSeconds } = playback.facts();
      if (!holds && live && behindSeconds > MOST_BEHIND_SECONDS) playback.seekToEdge();
      return video.readyState >= 2;
    }
    const error = video.currentTime - position;
    this.element.dataset.error = (error * 1000).toFixed(0);
    const correction = correctionOf(error, { isPaused: holds, isAudible: !video.muted });
    const place = position.toFixed(3);
    // Of a place that the player cannot reach exactly one attempt is enough.
    if (correction.type === 'rate') video.playbackRate = correction.rate;
    else if (!holds || video.dataset.sought !== place) video.currentTime = position;
    if (holds) video.dataset.sought = place;
    else delete video.dataset.sought;
    return Math.abs(error) < 1 && video.readyState >= 2;
  }

  #start(quality: 'smallest' | 'full'): TilePlayer {
    let player: TilePlayer | undefined;
    // Of two players that on the screen says how the tile is.
    const listener = this.#sessionListener(
      () => player === this.#player,
      () => setTimeout(() => player?.tryAgain(), TRY_AGAIN_MS),
    );
    player = createTilePlayer(this.videoId, quality, listener);
    return player;
  }

  #swapIn(player: TilePlayer): void {
    this.#player?.end();
    this.#player = player;
    this.#next = undefined;
    player.video.muted = !this.#isEnlarged;
    this.#describe();
  }

  #stop(): void {
    this.#player?.end();
    this.#next?.end();
    this.#player = undefined;
    this.#next = undefined;
  }

  #sessionListener(isOnScreen: () => boolean, stopped: () => void): SessionListener {
    let viewing: Viewing | undefined;
    const show = (): void => {
      if (!viewing || !isOnScreen()) return;
      this.element.dataset.state = viewing.state;
      const { title, place } = describeViewing(viewing);
      this.#message = place === 'none' ? '' : title;
      this.#describe();
    };
    return {
      viewing: (now) => {
        viewing = now;
        if (now.state === 'unknown' || now.state === 'failed') stopped();
        show();
      },
      stream: (stream) => {
        this.title = stream.title;
        if (viewing?.source !== 'live') this.#badge = badgeOf(stream.state, { state: 'flowing' });
        this.#describe();
      },
      facts: (facts: PlaybackFacts, { supply, delaySeconds }: LiveStatus) => {
        if (!isOnScreen()) return;
        if (viewing?.source === 'live') this.#badge = badgeOf('live', supply);
        if (viewing?.source === 'recording') this.#badge = badgeOf('ended', supply);
        this.#delaySeconds = facts.live ? delaySeconds : undefined;
        show();
      },
    };
  }

  #describe(): void {
    const { element, title } = this;
    const put = (selector: string, words: string): void => {
      const part = find(element, selector, HTMLElement);
      if (part.textContent !== words) part.textContent = words;
    };
    put('.tile-name', title);
    put('.tile-message', this.#message);
    const delayMs = this.#delaySeconds === undefined ? undefined : this.#delaySeconds * 1000;
    put('.tile-delay', delayMs === undefined ? '' : formatSpan(delayMs));
    put('.badge', this.#badge.text);
    const badge = find(element, '.badge', HTMLElement);
    badge.dataset.tone = this.#badge.tone;
    badge.hidden = this.#badge.text === '';
    element.dataset.delay = delayMs === undefined ? '' : (delayMs / 1000).toFixed(1);
    const key = this.#isEnlarged ? 'wall.shrink' : 'wall.enlarge';
    const open = find(element, '.tile-open', HTMLButtonElement);
    open.setAttribute('aria-label', text(key, { title }));
    open.setAttribute('aria-expanded', String(this.#isEnlarged));
    const isMuted = this.#player?.video.muted ?? true;
    const sound = find(element, '.tile-sound', HTMLButtonElement);
    sound.hidden = !this.#isEnlarged;
    sound.setAttribute('aria-pressed', String(!isMuted));
  }
}
