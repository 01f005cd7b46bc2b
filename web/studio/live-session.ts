/** One broadcast by WebCodecs, in a worker: from frames and samples to segments. */

import { ArrivalClock } from './arrival-clock.ts';
import { type EncodedFrame, type EncodedSound, muxSegment } from './mux-segment.ts';
import { PictureEncoder } from './picture-encoder.ts';
import { PictureMixer } from './picture-mixer.ts';
import { type CutSegment, SegmentCutter } from './segment-cutter.ts';
import { type SpooledSegment, sessionName } from './segment-store.ts';
import { SoundEncoder } from './sound-encoder.ts';
import type { Layout, PictureSource } from './worker-messages.ts';

/** Call `tick` so often: it stands in for sources from which nothing comes. */
export const TICK_MS = 66;

/** A broadcast begins without what has not arrived by then. */
const START_PATIENCE_MS = 2500;

/** A picture that stands still, as of a screen, is repeated after so long: a segment ends with a keyframe. */
const STILL_MS = 500;

type Options = Readonly<{
  video: VideoEncoderConfig;
  hasSound: boolean;
  layout: Layout;
  onLive(startedAtMs: number, codecs: string): void;
  onSegment(segment: SpooledSegment, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  onFailure(error: Error): void;
}>;

/** `nowMs`: of `performance.now()`. */
export class LiveSession {
  readonly #options: Options;
  readonly #mixer: PictureMixer;
  readonly #pictures: PictureEncoder;
  readonly #sound: SoundEncoder;
  readonly #clocks = { camera: new ArrivalClock(), screen: new ArrivalClock() };
  readonly #cutter: SegmentCutter<EncodedFrame, EncodedSound>;
  readonly #session: string;
  readonly #openedMs: number;
  #zeroMs: number | undefined;
  #zeroAtMs = 0;
  #codecs: { video?: VideoDecoderConfig; audio?: AudioDecoderConfig } = {};
  #isLive = false;
  #number = 0;
  #muxed: Promise<void> = Promise.resolve();

  constructor(options: Options, nowMs: number) {
    const { video, hasSound, layout, onFailure } = options;
    this.#options = options;
    this.#openedMs = nowMs;
    this.#session = sessionName(Date.now(), Math.random().toString(36).slice(2, 8));
    this.#cutter = new SegmentCutter(hasSound);
    this.#mixer = new PictureMixer({ width: video.width, height: video.height });
    this.#mixer.layout = layout;
    this.#pictures = new PictureEncoder(video, {
      onFrame: (frame, config) => {
        this.#codecs.video = config;
        this.#announce();
        this.#store(this.#cutter.addVideo(frame, performance.now()));
      },
      onRestart: () => {
        this.#mixer.isDirect = false;
      },
      onFailure,
    });
    this.#sound = new SoundEncoder({
      onSound: (packet, config) => {
        this.#codecs.audio = config;
        this.#store(this.#cutter.addAudio(packet, performance.now()));
      },
      onFailure,
    });
  }

  get frames(): Readonly<{ encoded: number; dropped: number }> {
    return { encoded: this.#pictures.encodedFrames, dropped: this.#pictures.droppedFrames };
  }

  setLayout(layout: Layout): void {
    this.#mixer.layout = layout;
  }

  setBitrate(bitsPerSecond: number): void {
    this.#pictures.setBitrate(bitsPerSecond);
  }

  /** Takes the frame over. */
  takePicture(source: PictureSource, frame: VideoFrame, nowMs: number): void {
    const takenMs = this.#clocks[source].place(frame.timestamp, nowMs);
    const isNew = this.#mixer.take(source, frame);
    this.#beginWhenReady(nowMs);
    if (isNew) this.#encodeAt(takenMs);
  }

  /** The source gives nothing more; another of its kind has a clock of its own. */
  forgetPicture(source: PictureSource): void {
    this.#mixer.forget(source);
    this.#clocks[source] = new ArrivalClock();
  }

  /** Takes the block over. */
  takeSound(data: AudioData, nowMs: number): Promise<void> {
    return this.#sound.take(data, nowMs);
  }

  tick(nowMs: number): void {
    this.#beginWhenReady(nowMs);
    if (this.#zeroMs === undefined) return;
    this.#sound.fill(nowMs);
    const stillMs = nowMs - this.#zeroMs - this.#pictures.lastTimeUs / 1000;
    if (stillMs > (this.#mixer.isEmpty ? TICK_MS / 2 : STILL_MS)) this.#encodeAt(nowMs);
    this.#store(this.#cutter.tick(nowMs));
  }

  /** Resolves when all that was taken is stored. */
  async stop(nowMs: number): Promise<void> {
    await Promise.all([this.#pictures.flush(), this.#sound.flush()]);
    if (this.#zeroMs !== undefined) {
      this.#store(this.#cutter.finish((nowMs - this.#zeroMs) * 1000));
    }
    this.#mixer.close();
    await this.#muxed;
  }

  /** When the clocks of all that takes part are known; all times count from then. */
  #beginWhenReady(nowMs: number): void {
    if (this.#zeroMs !== undefined) return;
    const sources = this.#mixer.sources;
    const hasPictures = sources.every((source) => this.#clocks[source].isSettled(nowMs));
    const hasSound = !this.#options.hasSound || this.#sound.isSettled;
    if (!(hasPictures && hasSound) && nowMs - this.#openedMs < START_PATIENCE_MS) return;
    this.#zeroMs = nowMs;
    this.#zeroAtMs = Date.now();
    this.#sound.start(nowMs);
  }

  #encodeAt(takenMs: number): void {
    if (this.#zeroMs === undefined) return;
    const timeUs = Math.round((takenMs - this.#zeroMs) * 1000);
    if (timeUs < 0 || !this.#pictures.wants(timeUs)) return;
    this.#pictures.encode(this.#mixer.picture(timeUs));
  }

  #announce(): void {
    if (this.#isLive) return;
    this.#isLive = true;
    this.#options.onLive(this.#zeroAtMs, this.#codecs.video?.codec ?? '');
  }

  #store(segments: readonly CutSegment<EncodedFrame, EncodedSound>[]): void {
    for (const segment of segments) {
      this.#muxed = this.#muxed.then(() => this.#storeOne(segment)).catch(this.#options.onFailure);
    }
  }

  async #storeOne(segment: CutSegment<EncodedFrame, EncodedSound>): Promise<void> {
    const { video, audio } = this.#codecs;
    if (!video) return;
    const bytes = await muxSegment(segment, { video, audio });
    const number = this.#number;
    this.#number += 1;
    await this.#options.onSegment(
      {
        session: this.#session,
        number,
        atMs: Math.round(this.#zeroAtMs + segment.startUs / 1000),
        durationSeconds: (segment.endUs - segment.startUs) / 1e6,
        sizeBytes: bytes.length,
      },
      bytes,
    );
  }
}
