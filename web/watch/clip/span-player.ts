/** Plays a span of what is loaded, and stops at its last frame. */

import { createFrameClock, type FrameClock } from '../frame-clock.ts';

/** Positions; the end does not belong to it. */
export type Span = Readonly<{ start: number; end: number }>;

export type SpanPlayer = Readonly<{
  /** From its start; undefined: no span, and playback goes on. */
  play(span: Span | undefined): void;
  /** Playback goes on inside of it, and stops at its end. */
  bound(span: Span): void;
  clock: FrameClock;
  disconnect(): void;
}>;

/** A seek lands in the frame, not on its edge, where the one before could be shown. */
export const INTO_FRAME_SECONDS = 0.004;

export function createSpanPlayer(
  video: HTMLVideoElement,
  frameSeconds: () => number,
  onEnd: () => void,
): SpanPlayer {
  let span: Span | undefined;
  let isOver = false;
  let isReturning = false;
  const clock = createFrameClock(video, (position) => {
    if (!span || video.paused || video.seeking) return;
    if (position + 1.5 * frameSeconds() < span.end) return;
    isOver = true;
    video.pause();
    // A busy machine shows no frame in time, and then one that is not of the span.
    isReturning = position + frameSeconds() / 2 > span.end;
    if (isReturning) seekTo(span.end - frameSeconds());
    onEnd();
  });
  const seekTo = (position: number): void => {
    video.currentTime = position + INTO_FRAME_SECONDS;
  };
  // Played again, it begins again; a viewer who seeks elsewhere wants to see that.
  const onPlay = (): void => {
    if (span && isOver) seekTo(span.start);
    isOver = false;
  };
  const onSeeking = (): void => {
    isOver = isReturning;
    isReturning = false;
    if (span && (video.currentTime < span.start - 1 || video.currentTime > span.end + 1)) {
      span = undefined;
    }
  };
  video.addEventListener('play', onPlay);
  video.addEventListener('seeking', onSeeking);
  return {
    clock,
    play(next) {
      span = next;
      isOver = false;
      isReturning = false;
      if (!next) return;
      seekTo(next.start);
      void video.play().catch(() => undefined);
    },
    bound(next) {
      span = next;
    },
    disconnect() {
      clock.disconnect();
      video.removeEventListener('play', onPlay);
      video.removeEventListener('seeking', onSeeking);
    },
  };
}
