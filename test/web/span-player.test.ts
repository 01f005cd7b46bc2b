import assert from 'node:assert/strict';
import { test } from 'node:test';

// By its address: types of the browser are not loaded here.
const { createSpanPlayer } = await import(
  new URL('../../web/watch/clip/span-player.ts', import.meta.url).href
);

type OnFrame = (now: number, frame: Readonly<{ mediaTime: number }>) => void;

/** A video element whose frames the test shows. */
class FakeVideo extends EventTarget {
  paused = true;
  seeking = false;
  #position = 0;
  #onFrame: OnFrame = () => undefined;

  get currentTime(): number {
    return this.#position;
  }

  set currentTime(position: number) {
    this.#position = position;
    this.dispatchEvent(new Event('seeking'));
  }

  async play(): Promise<void> {
    this.paused = false;
    this.dispatchEvent(new Event('play'));
  }

  pause(): void {
    this.paused = true;
  }

  requestVideoFrameCallback(onFrame: OnFrame): void {
    this.#onFrame = onFrame;
  }

  show(mediaTime: number): void {
    this.#position = mediaTime;
    this.#onFrame(0, { mediaTime });
  }
}

const FRAME = 0.04;

function playSpan() {
  const video = new FakeVideo();
  let ends = 0;
  const player = createSpanPlayer(
    video,
    () => FRAME,
    () => {
      ends += 1;
    },
  );
  player.play({ start: 2, end: 4 });
  return { video, ends: () => ends };
}

test('a span is played up to its last frame, and played again from its first', async () => {
  const { video, ends } = playSpan();
  assert.equal(video.currentTime, 2.004);
  for (const shown of [2, 3, 3.92]) video.show(shown);
  assert.deepEqual([video.paused, ends()], [false, 0]);
  video.show(3.96);
  assert.deepEqual([video.paused, ends(), video.currentTime], [true, 1, 3.96]);
  await video.play();
  assert.equal(video.currentTime, 2.004);
});

test('a frame behind the span that is shown first, on a busy machine, gives way to its last one', async () => {
  const { video, ends } = playSpan();
  video.show(3.5);
  video.show(4.4);
  assert.deepEqual([video.paused, ends()], [true, 1]);
  assert.equal(video.currentTime.toFixed(3), '3.964');
  await video.play();
  assert.equal(video.currentTime, 2.004);
});

test('who seeks elsewhere after the end sees that, without an end', async () => {
  const { video, ends } = playSpan();
  video.show(3.96);
  video.currentTime = 8;
  await video.play();
  video.show(9);
  assert.deepEqual([video.paused, ends(), video.currentTime], [false, 1, 9]);
});
