/**
 * A camera and a microphone of known content for a page, in place of `getUserMedia`: each second a flash of
 * 100 ms and a beep at the same moment, and the wall clock burned into every picture.
 */

import type { Page } from 'playwright-core';

const CLOCK_BITS = 16;
/** The clock counts in these steps, and starts over after 65,536 of them. */
const CLOCK_STEP_MS = 10;

/** Clocks of camera and microphone have zeros of their own, as in a browser. */
const FAKE_DEVICES = `{
  const FPS = 20, RATE = 48000, BLOCK = RATE / 100;
  const ZERO = { video: 1000e6, audio: 5e6 };
  const draw = (context, t, inFlash) => {
    context.fillStyle = inFlash ? '#fff' : '#345';
    context.fillRect(0, 0, 640, 360);
    const steps = Math.floor((performance.timeOrigin + t * 1000) / ${CLOCK_STEP_MS});
    for (let bit = 0; bit < ${CLOCK_BITS}; bit += 1) {
      context.fillStyle = Math.floor(steps / 2 ** bit) % 2 ? '#fff' : '#000';
      context.fillRect(bit * 40, 0, 40, 40);
    }
  };
  navigator.mediaDevices.getUserMedia = async ({ video, audio }) => {
    const canvas = new OffscreenCanvas(640, 360);
    const context = canvas.getContext('2d');
    const generator = (kind) => new MediaStreamTrackGenerator({ kind });
    const tracks = { ...(video && { video: generator('video') }), ...(audio && { audio: generator('audio') }) };
    const writers = Object.fromEntries(Object.entries(tracks).map(([kind, track]) => [kind, track.writable.getWriter()]));
    const start = Math.ceil(performance.now() / 1000);
    let frame = 0, block = 0;
    setInterval(() => {
      const elapsed = performance.now() / 1000 - start;
      for (; frame / FPS <= elapsed; frame += 1) {
        const t = start + frame / FPS;
        draw(context, t, frame % FPS < FPS / 10);
        writers.video?.write(new VideoFrame(canvas, { timestamp: ZERO.video + t * 1e6 })).catch(() => {});
      }
      for (; (block + 1) / 100 <= elapsed; block += 1) {
        const t = start + block / 100;
        const data = Float32Array.from({ length: BLOCK }, (_, n) =>
          block % 100 < 10 ? 0.8 * Math.sin(2 * Math.PI * 1000 * (n / RATE)) : 0);
        writers.audio?.write(new AudioData({
          format: 'f32-planar', sampleRate: RATE, numberOfFrames: BLOCK, numberOfChannels: 1,
          timestamp: ZERO.audio + Math.round(t * 1e6), data,
        })).catch(() => {});
      }
    }, 5);
    return new MediaStream(Object.values(tracks));
  };
}`;

/** From the next page on. */
export const useFakeDevices = (page: Page): Promise<unknown> =>
  page.addInitScript({ content: FAKE_DEVICES });

/** What the picture's clock and the page say, read at once. Seconds. */
export type ReadDelay = Readonly<{ burned: number; shown: number }>;

/** How old the picture on the screen of a watch page is by its burned clock, and by the page itself. */
export const readDelay = (page: Page): Promise<ReadDelay> =>
  page.evaluate(`(() => {
    const video = document.querySelector('video');
    const canvas = new OffscreenCanvas(${CLOCK_BITS} * 4, 4);
    const context = canvas.getContext('2d');
    const share = video.videoWidth / 640;
    context.drawImage(video, 0, 0, ${CLOCK_BITS} * 40 * share, 40 * share, 0, 0, ${CLOCK_BITS} * 4, 4);
    const nowMs = Date.now();
    const { data } = context.getImageData(0, 2, ${CLOCK_BITS} * 4, 1);
    let steps = 0;
    for (let bit = 0; bit < ${CLOCK_BITS}; bit += 1) if (data[(bit * 4 + 2) * 4] > 128) steps += 2 ** bit;
    const behind = (Math.floor(nowMs / ${CLOCK_STEP_MS}) % 65536) - steps;
    return {
      burned: (((behind % 65536) + 65536) % 65536) * ${CLOCK_STEP_MS / 1000},
      shown: Number(document.querySelector('.watch').dataset.delay),
    };
  })()`);
