/** Encodes the pictures: a keyframe for each segment, fewer frames where the machine cannot follow. */

import type { EncodedFrame } from './mux-segment.ts';
import { RestartLimit } from './restart-limit.ts';
import { KeyframeSchedule } from './segment-cutter.ts';

/** More frames in the encoder's queue than these: the next ones are left out, but never a keyframe. */
const MAX_QUEUED = 4;

/** Frames closer together than this share of their usual distance are left out. */
const MIN_DISTANCE = 0.7;

type Callbacks = Readonly<{
  onFrame(frame: EncodedFrame, config: VideoDecoderConfig): void;
  /** It has failed, and begins again with the next frame. */
  onRestart(): void;
  /** It did not help to begin again. */
  onFailure(error: Error): void;
}>;

export class PictureEncoder {
  readonly #callbacks: Callbacks;
  #config: VideoEncoderConfig;
  #encoder: VideoEncoder;
  #keyframes = new KeyframeSchedule();
  #decoderConfig: VideoDecoderConfig | undefined;
  #lastTimeUs = Number.NEGATIVE_INFINITY;
  #isFirst = true;
  readonly #restarts = new RestartLimit();
  #wantedBps: number | undefined;
  encodedFrames = 0;
  droppedFrames = 0;

  constructor(config: VideoEncoderConfig, callbacks: Callbacks) {
    this.#config = config;
    this.#callbacks = callbacks;
    this.#encoder = this.#begin();
  }

  /** Time of the newest picture that was taken. */
  get lastTimeUs(): number {
    return this.#lastTimeUs;
  }

  /** Whether a picture of this time is due; before its time it need not be made. */
  wants(timeUs: number): boolean {
    const { framerate = 30 } = this.#config;
    return timeUs - this.#lastTimeUs >= (MIN_DISTANCE * 1e6) / framerate;
  }

  /** Encodes and closes the frame. */
  encode(frame: VideoFrame): void {
    const timeUs = frame.timestamp;
    const keyFrame = this.#keyframes.isDue(timeUs);
    if (this.#encoder.state !== 'configured') this.droppedFrames += 1;
    else if (this.#encoder.encodeQueueSize > MAX_QUEUED && !keyFrame) this.droppedFrames += 1;
    else {
      if (keyFrame) this.#takeKeyframe(timeUs);
      this.#encoder.encode(frame, { keyFrame });
      this.#lastTimeUs = timeUs;
    }
    frame.close();
  }

  /** From the next keyframe on, as an encoder may answer with one. The size stays, and so do the parameter sets. */
  setBitrate(bitsPerSecond: number): void {
    this.#wantedBps = bitsPerSecond;
  }

  async flush(): Promise<void> {
    if (this.#encoder.state !== 'configured') return;
    await this.#encoder.flush().catch(() => undefined);
    close(this.#encoder);
  }

  #takeKeyframe(timeUs: number): void {
    this.#keyframes.taken(timeUs);
    if (this.#wantedBps === undefined || this.#wantedBps === this.#config.bitrate) return;
    this.#config = { ...this.#config, bitrate: this.#wantedBps };
    this.#encoder.configure(this.#config);
  }

  #begin(): VideoEncoder {
    this.#isFirst = true;
    const encoder = new VideoEncoder({
      output: (chunk, metadata) => this.#take(chunk, metadata),
      error: (error) => this.#restart(error),
    });
    encoder.configure(this.#config);
    return encoder;
  }

  #take(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
    this.#decoderConfig = metadata?.decoderConfig ?? this.#decoderConfig;
    if (!this.#decoderConfig) return;
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    this.encodedFrames += 1;
    const isKey = chunk.type === 'key';
    const frame = { timeUs: chunk.timestamp, isKey, isFirst: this.#isFirst, bytes };
    this.#isFirst = false;
    this.#callbacks.onFrame(frame, this.#decoderConfig);
  }

  /** A driver that fails once, as when a graphics card is taken away, gets another chance. */
  #restart(error: Error): void {
    if (!this.#restarts.mayRestart(performance.now())) this.#callbacks.onFailure(error);
    else {
      this.#callbacks.onRestart();
      this.#keyframes = new KeyframeSchedule();
      this.#encoder = this.#begin();
    }
  }
}

/** Closing twice throws. */
function close(encoder: VideoEncoder): void {
  if (encoder.state !== 'closed') encoder.close();
}
