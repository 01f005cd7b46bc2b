/** The controls of the system: lock screens, notifications, keys of keyboards and headsets. */

import type { StreamView } from '../../lib/api/messages.ts';

export type SystemControls = Readonly<{
  show(stream: Pick<StreamView, 'title' | 'poster'>): void;
  disconnect(): void;
}>;

/** What of the video they act on. */
export type ControlledVideo = {
  addEventListener(type: string, listener: () => void, options: { signal: AbortSignal }): void;
  currentTime: number;
  readonly paused: boolean;
  readonly playbackRate: number;
  readonly readyState: number;
  readonly seekable: Readonly<{
    length: number;
    start(index: number): number;
    end(index: number): number;
  }>;
  play(): Promise<void>;
  pause(): void;
};

type Action = 'play' | 'pause' | 'seekbackward' | 'seekforward' | 'seekto';
type ActionHandler = (details: Readonly<{ seekOffset?: number; seekTime?: number }>) => void;

/** `MediaSession` of the browser. */
export type SystemMedia<Metadata> = {
  metadata: Metadata | null;
  playbackState: 'none' | 'paused' | 'playing';
  setActionHandler(action: Action, handler: ActionHandler | null): void;
  setPositionState(
    state: Readonly<{ duration: number; position: number; playbackRate: number }>,
  ): void;
};

export type MetadataFacts = Readonly<{
  title: string;
  artist: string;
  artwork: { src: string; type: string }[];
}>;

const SEEK_SECONDS = 10;

/** Their time line is what can be watched now: of a live stream its DVR window. */
export function connectSystemControls<Metadata>(
  video: ControlledVideo,
  session: SystemMedia<Metadata> | undefined,
  metadataOf: (facts: MetadataFacts) => Metadata,
): SystemControls {
  if (!session) return { show: () => {}, disconnect: () => {} };
  const disconnecting = new AbortController();
  const { signal } = disconnecting;
  let shown = '';

  const seek = (seconds: number): void => {
    const { start, end } = windowOf(video);
    video.currentTime = Math.max(start, Math.min(end, seconds));
  };
  const actions: readonly (readonly [Action, ActionHandler])[] = [
    ['play', () => void video.play()],
    ['pause', () => video.pause()],
    ['seekbackward', ({ seekOffset = SEEK_SECONDS }) => seek(video.currentTime - seekOffset)],
    ['seekforward', ({ seekOffset = SEEK_SECONDS }) => seek(video.currentTime + seekOffset)],
    ['seekto', ({ seekTime = 0 }) => seek(windowOf(video).start + seekTime)],
  ];
  for (const [action, handler] of actions) handle(session, action, handler);

  const showPosition = (): void => {
    session.playbackState = video.paused ? 'paused' : 'playing';
    const { start, end } = windowOf(video);
    const duration = end - start;
    if (video.readyState === 0 || !(duration > 0) || video.playbackRate <= 0) return;
    const position = Math.max(0, Math.min(duration, video.currentTime - start));
    session.setPositionState({ duration, position, playbackRate: video.playbackRate });
  };
  for (const event of ['play', 'pause', 'seeked', 'ratechange', 'timeupdate']) {
    video.addEventListener(event, showPosition, { signal });
  }

  return {
    show({ title, poster }) {
      const next = `${poster} ${title}`;
      if (next === shown) return;
      shown = next;
      const artwork = poster === undefined ? [] : [{ src: poster, type: 'image/jpeg' }];
      session.metadata = metadataOf({ title, artist: 'Rivulet', artwork });
    },
    disconnect() {
      disconnecting.abort();
      for (const [action] of actions) handle(session, action, null);
      session.metadata = null;
      session.playbackState = 'none';
    },
  };
}

/** What can be sought, in seconds; 0 to 0: nothing yet. */
export function windowOf({ seekable }: Pick<ControlledVideo, 'seekable'>): {
  start: number;
  end: number;
} {
  const last = seekable.length - 1;
  return last < 0 ? { start: 0, end: 0 } : { start: seekable.start(0), end: seekable.end(last) };
}

/** Browsers throw for actions that they do not know. */
function handle(
  session: Pick<SystemMedia<unknown>, 'setActionHandler'>,
  action: Action,
  handler: ActionHandler | null,
): void {
  try {
    session.setActionHandler(action, handler);
  } catch {}
}
