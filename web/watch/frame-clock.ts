/** The times of the frames on the screen, as exactly as the browser tells them. */

export type FrameClock = Readonly<{
  /** Position at which the frame on the screen begins. */
  shownAt(): number;
  disconnect(): void;
}>;

/** `onFrame`: for each frame that comes on the screen. Where the browser has no frames to tell, the position counts. */
export function createFrameClock(
  video: HTMLVideoElement,
  onFrame: (position: number) => void,
): FrameClock {
  const ending = new AbortController();
  const media: HTMLMediaElement = video;
  let shownAt: number | undefined;
  // Safari before 15.4 and Firefox before 132 have none.
  if (typeof video.requestVideoFrameCallback === 'function') {
    const next = (_: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
      if (ending.signal.aborted) return;
      shownAt = mediaTime;
      onFrame(mediaTime);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
    // Until the frame of the new position is there.
    video.addEventListener('seeking', () => {
      shownAt = undefined;
    });
  } else {
    const { signal } = ending;
    media.addEventListener('timeupdate', () => onFrame(media.currentTime), { signal });
  }
  return {
    shownAt: () => shownAt ?? media.currentTime,
    disconnect: () => ending.abort(),
  };
}
