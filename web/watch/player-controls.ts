/** What the player's controls need beyond media-chrome's own wiring: live edge, unmuting, keys. */

import { formatClock, formatTimeOfDay } from '../shared/format-time.ts';
import { find } from '../shared/page-elements.ts';
import { text } from '../texts/text.ts';
import type { PlaybackFacts } from './playback.ts';
import { createPreviewThumbnails } from './preview-thumbnails.ts';
import { windowOf } from './system-controls.ts';
import type { Viewing } from './viewing.ts';

export type PlayerControls = Readonly<{
  showSource(source: Viewing['source']): void;
  showFacts(facts: PlaybackFacts): void;
  /** Playback needs a gesture of the viewer to start. */
  showStart(): void;
  disconnect(): void;
}>;

export type PlayerSources = Readonly<{
  seekToEdge(): void;
  /** Of the stream's wall clock, at a position in seconds; Unix time. undefined: not known. */
  instantOf(position: number): number | undefined;
  /** Address of the index of preview thumbnails; undefined: there is none. */
  thumbnails(): string | undefined;
}>;

export function connectPlayerControls(
  view: HTMLElement,
  video: HTMLVideoElement,
  { seekToEdge, instantOf, thumbnails }: PlayerSources,
): PlayerControls {
  const controller = find(view, 'media-controller', HTMLElement);
  const unmute = find(view, '.unmute', HTMLButtonElement);
  const start = find(view, '.start', HTMLButtonElement);
  const behind = find(view, '.behind', HTMLElement);
  const previewTime = find(view, '.preview-time', HTMLElement);
  const showPicture = createPreviewThumbnails(
    find(view, '.preview-picture', HTMLElement),
    thumbnails,
  );
  const speed = find(view, '.speed-item', HTMLElement);
  const keys = find(view, '.keys', HTMLDialogElement);
  const disconnecting = new AbortController();
  const { signal } = disconnecting;
  let facts: PlaybackFacts | undefined;
  let source: Viewing['source'] = 'none';
  /** Where the pointer is on the time range; undefined: elsewhere. */
  let pointedShare: number | undefined;

  // media-chrome says with aria-checked whether captions are on, which a button does not have.
  find(view, 'media-captions-button', HTMLElement).setAttribute('role', 'switch');

  // The properties by which media-chrome recognises a live stream with a DVR window.
  Object.defineProperties(video, {
    streamType: {
      get: () => (source === 'none' ? undefined : source === 'live' ? 'live' : 'on-demand'),
    },
    targetLiveWindow: { get: () => (source === 'live' ? Number.POSITIVE_INFINITY : Number.NaN) },
    liveEdgeStart: {
      get: () => (source === 'live' && isLive(view.dataset) ? 0 : Number.NaN),
    },
  });

  find(view, '.live-button', HTMLElement).addEventListener('mediaseektoliverequest', (event) => {
    // media-chrome would seek to the end of the newest segment, and stall there.
    event.stopPropagation();
    seekToEdge();
  });

  find(view, 'media-time-range', HTMLElement).addEventListener('mediapreviewrequest', (event) => {
    const time: unknown = event instanceof CustomEvent ? event.detail : undefined;
    const { end } = windowOf(video);
    // media-chrome counts from 0; a window that slides begins later.
    pointedShare = typeof time === 'number' && end > 0 ? time / end : undefined;
    showPreview();
  });

  /** Again with all facts: the pointer may rest while the window moves on. */
  function showPreview(): void {
    if (pointedShare === undefined) return;
    const { start, end } = windowOf(video);
    const time = start + pointedShare * (end - start);
    const beforeEdge = facts ? video.currentTime + facts.behindSeconds - time : 0;
    const live = beforeEdge < 1 ? text('player.live') : `−${formatClock(beforeEdge)}`;
    const instant = instantOf(time);
    const timeOfDay = instant === undefined ? [] : [formatTimeOfDay(instant)];
    showPicture(instant);
    previewTime.textContent = [source === 'live' ? live : formatClock(time), ...timeOfDay].join(
      ' · ',
    );
  }

  video.addEventListener('volumechange', () => {
    if (!video.muted) unmute.hidden = true;
  });
  video.addEventListener('playing', () => {
    start.hidden = true;
    unmute.hidden = !video.muted;
  });
  unmute.addEventListener('click', () => {
    video.muted = false;
    if (video.volume === 0) video.volume = 1;
    unmute.hidden = true;
  });
  start.addEventListener('click', () => {
    start.hidden = true;
    video.muted = false;
    void video.play();
  });

  /** Whether the key is one that jumps: to a tenth of what can be sought, to its start, or to live. */
  function jump(key: string): boolean {
    const { seekable } = video;
    if (seekable.length === 0) return false;
    const start = seekable.start(0);
    const length = seekable.end(seekable.length - 1) - start;
    if (key === 'End') {
      if (source === 'live') seekToEdge();
      else video.currentTime = start + length;
    } else if (key === 'Home') video.currentTime = start;
    else if (/^\d$/.test(key)) video.currentTime = start + (length * Number(key)) / 10;
    else return false;
    return true;
  }

  // Keys work wherever the focus is, unless the focused element needs them itself.
  for (const type of ['keydown', 'keyup'] as const) {
    document.addEventListener(
      type,
      (event) => {
        const { key, shiftKey, metaKey, altKey, ctrlKey } = event;
        if (ctrlKey || metaKey || altKey || takesKeys(event.composedPath()[0])) return;
        if (type === 'keydown' && key === '?') {
          if (keys.open) keys.close();
          else keys.showModal();
          return;
        }
        if (keys.open || (type === 'keydown' && jump(key))) return;
        // The player hears those of what it contains; elsewhere Space and the arrows have a meaning of their own.
        if (event.target !== document.body) return;
        if (type === 'keydown' && (key === ' ' || key.startsWith('Arrow'))) event.preventDefault();
        controller.dispatchEvent(new KeyboardEvent(type, { key, shiftKey }));
      },
      { signal },
    );
  }
  find(view, '.keys-button', HTMLButtonElement).addEventListener('click', () => keys.showModal());

  return {
    showSource(next) {
      if (next === source) return;
      source = next;
      speed.hidden = source !== 'recording';
      // The page sets the rate of live playback; speed keys would work against it.
      const withoutSpeed = source === 'recording' ? '' : 'no< no>';
      controller.setAttribute('hotkeys', `noshift+/ ${withoutSpeed}`);
      video.dispatchEvent(new Event('streamtypechange'));
    },
    showFacts(next) {
      facts = next;
      const away = next.live && view.dataset.state === 'behind' && next.behindSeconds >= 1;
      behind.textContent = away ? `−${formatClock(next.behindSeconds)}` : '';
      showPreview();
    },
    showStart() {
      start.hidden = false;
    },
    disconnect: () => disconnecting.abort(),
  };
}

/** A stream whose broadcaster is silent is not shown as live, however near its end the viewer is. */
const isLive = ({ state, supply }: DOMStringMap): boolean =>
  state === 'live' && (supply === 'flowing' || supply === 'late');

/** Fields, sliders and menus; also those inside of media-chrome's elements. */
const takesKeys = (target: EventTarget | undefined): boolean =>
  target instanceof Element && target.matches('input, select, textarea, [role^="menu"]');
