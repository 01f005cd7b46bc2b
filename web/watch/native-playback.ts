/** Playback by the browser itself, where Media Source Extensions are missing: iPhones before iOS 17.1. */

import {
  bufferedAhead,
  type LoadOptions,
  type Playback,
  type PlaybackFacts,
  type PlaybackListener,
  startPlaying,
} from './playback.ts';

/** Where the browser's player joins by default: three segments of six seconds. */
const ASSUMED_HOLD_BACK_SECONDS = 18;
const ASSUMED_TARGET_DURATION_SECONDS = 6;

/** Safari alone: the date of position 0 by EXT-X-PROGRAM-DATE-TIME. */
type DatedVideo = HTMLVideoElement & Readonly<{ getStartDate?(): Date }>;

export const canPlayNatively = (video: HTMLVideoElement): boolean =>
  video.canPlayType('application/vnd.apple.mpegurl') !== '';

export function createNativePlayback(
  video: HTMLVideoElement,
  listener: PlaybackListener,
  onBlocked: () => void,
): Playback {
  const listening = new AbortController();
  let address = '';
  let resumeAtSeconds: number | undefined;

  const isLive = (): boolean => video.duration === Number.POSITIVE_INFINITY;
  const edge = (): number => {
    const { seekable } = video;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) : video.currentTime;
  };
  const reportSource = (): void => {
    if (Number.isNaN(video.duration)) return;
    listener.event({ type: 'flowing' });
    listener.event({ type: 'source', live: isLive(), partial: false });
  };

  const on = (name: keyof HTMLVideoElementEventMap, handle: () => void): void =>
    video.addEventListener(name, handle, { signal: listening.signal });
  on('loadedmetadata', reportSource);
  on('durationchange', reportSource);
  on('progress', () => listener.event({ type: 'flowing' }));
  on('loadedmetadata', () => {
    if (resumeAtSeconds !== undefined && !isLive()) video.currentTime = resumeAtSeconds;
    resumeAtSeconds = undefined;
  });
  on('error', () => {
    const { code = 0, message = '' } = video.error ?? {};
    const detail = message || `media error ${code || ''}`;
    // The browser reports a playlist or segment that it cannot fetch as either of these.
    const { MEDIA_ERR_NETWORK, MEDIA_ERR_SRC_NOT_SUPPORTED } = MediaError;
    const isNetwork = code === MEDIA_ERR_NETWORK || code === MEDIA_ERR_SRC_NOT_SUPPORTED;
    if (isNetwork) listener.event({ type: 'network_error', detail, failure: 'no_answer' });
    else listener.event({ type: 'media_error', detail, atMs: performance.now() });
  });

  function load(url: string, { at, paused }: LoadOptions): void {
    address = url;
    resumeAtSeconds = at === 'same' ? video.currentTime : undefined;
    video.src = url;
    video.load();
    if (paused) return;
    void startPlaying(video).then((started) => {
      if (!started) onBlocked();
    });
  }

  function facts(): PlaybackFacts {
    const live = isLive();
    const edgeSeconds = live ? edge() - video.currentTime : 0;
    const bufferSeconds = bufferedAhead(video);
    return {
      engine: 'native',
      live,
      level: video.videoHeight ? `${Math.min(video.videoHeight, video.videoWidth)}p` : '',
      levelBps: 0,
      bandwidthBps: 0,
      bufferSeconds,
      edgeSeconds,
      newestSegment: live ? edge() : 0,
      missingSeconds: live ? edgeSeconds - bufferSeconds : Number.POSITIVE_INFINITY,
      levelSwitches: 0,
      loadShare: 0,
      behindSeconds: live ? edgeSeconds - ASSUMED_HOLD_BACK_SECONDS : 0,
      holdBackSeconds: live ? ASSUMED_HOLD_BACK_SECONDS : 0,
      targetDurationSeconds: ASSUMED_TARGET_DURATION_SECONDS,
      ...shownAt(),
    };
  }

  const startMs = (): number => (video as DatedVideo).getStartDate?.().getTime() ?? Number.NaN;

  function instantOf(position: number): number | undefined {
    const instantMs = startMs() + position * 1000;
    return Number.isNaN(instantMs) ? undefined : instantMs;
  }

  function shownAt(): Pick<PlaybackFacts, 'shownAtMs'> {
    const shownAtMs = instantOf(video.currentTime);
    return shownAtMs === undefined ? {} : { shownAtMs };
  }

  function stop(): void {
    video.removeAttribute('src');
    video.load();
  }

  return {
    load,
    resume: () => load(address, { at: 'same', paused: video.paused }),
    recoverDecoder: () => load(address, { at: 'same', paused: false }),
    facts,
    positionOf(instantMs) {
      const position = (instantMs - startMs()) / 1000;
      return position >= 0 && position <= edge() ? position : undefined;
    },
    instantOf,
    startPosition: () => undefined,
    seekToEdge: () => {
      video.currentTime = edge();
    },
    // The browser chooses levels by itself, and has audio tracks and captions in its own menus.
    selectLevel: () => undefined,
    selectAudio: () => undefined,
    selectCaptions: () => undefined,
    stop,
    destroy() {
      listening.abort();
      stop();
    },
  };
}
