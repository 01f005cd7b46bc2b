/**
 * Makes the pictures of the broadcast from those of camera and screen, in a worker. A frame that comes drives
 * it, no timer: a hidden tab goes on.
 */

import { cornerPlace, fitInto, type Place, type Size } from './picture-layout.ts';
import type { Layout, PictureSource } from './worker-messages.ts';

const sizeOf = ({ displayWidth, displayHeight }: VideoFrame): Size => ({
  width: displayWidth,
  height: displayHeight,
});

export class PictureMixer {
  readonly #size: Size;
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D | null;
  readonly #latest: Partial<Record<PictureSource, VideoFrame>> = {};
  layout: Layout = 'none';
  /** Frames go to the encoder as they are, where nothing is to be drawn. False after it has refused one. */
  isDirect = true;

  constructor(size: Size) {
    this.#size = size;
    this.#canvas = new OffscreenCanvas(size.width, size.height);
    this.#context = this.#canvas.getContext('2d', { alpha: false });
  }

  /** Takes the frame over. Returns whether the picture of the broadcast changes with it. */
  take(source: PictureSource, frame: VideoFrame): boolean {
    this.forget(source);
    this.#latest[source] = frame;
    if (this.layout !== 'both') return this.layout === source;
    // The camera is the steadier of the two: a screen gives a frame when something moves.
    return source === 'camera' || this.#latest.camera === undefined;
  }

  /** What the layout shows. */
  get sources(): readonly PictureSource[] {
    const { layout } = this;
    return layout === 'both' ? ['camera', 'screen'] : layout === 'none' ? [] : [layout];
  }

  /** Whether the picture is black, as nothing has come of what it would show. */
  get isEmpty(): boolean {
    return this.sources.every((source) => this.#latest[source] === undefined);
  }

  /** Nothing comes from this source any more. */
  forget(source: PictureSource): void {
    this.#latest[source]?.close();
    delete this.#latest[source];
  }

  /** The picture as it is now; the caller closes it. Without a source it is black. */
  picture(timeUs: number): VideoFrame {
    const { camera, screen } = this.#latest;
    const main =
      this.layout === 'both' ? (screen ?? camera) : this.layout === 'screen' ? screen : camera;
    const shown = this.layout === 'none' ? undefined : main;
    const corner = this.layout === 'both' && screen ? camera : undefined;
    if (shown && !corner && this.#canPass(shown)) {
      return new VideoFrame(shown, { timestamp: timeUs });
    }
    const { width, height } = this.#size;
    const context = this.#context;
    if (context) {
      context.fillStyle = '#000';
      context.fillRect(0, 0, width, height);
      if (shown) draw(context, shown, fitInto(sizeOf(shown), this.#size));
      if (corner) draw(context, corner, cornerPlace(sizeOf(corner), this.#size));
    }
    return new VideoFrame(this.#canvas, { timestamp: timeUs });
  }

  /** A frame in a pixel format that the browser has no name for may be none that its encoder knows. */
  #canPass({ displayWidth, displayHeight, format }: VideoFrame): boolean {
    const { width, height } = this.#size;
    return this.isDirect && format !== null && displayWidth === width && displayHeight === height;
  }

  close(): void {
    this.forget('camera');
    this.forget('screen');
  }
}

const draw = (
  context: OffscreenCanvasRenderingContext2D,
  frame: VideoFrame,
  { x, y, width, height }: Place,
): void => context.drawImage(frame, x, y, width, height);
