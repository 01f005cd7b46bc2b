/** Encodes the sound, by the clock that counts its samples. */

import { chooseAudio } from './codec-choice.ts';
import type { EncodedSound } from './mux-segment.ts';
import { RestartLimit } from './restart-limit.ts';
import { SampleClock } from './sample-clock.ts';

type Callbacks = Readonly<{
  onSound(packet: EncodedSound, config: AudioDecoderConfig): void;
  /** It did not help to begin again. */
  onFailure(error: Error): void;
}>;

/** Times are in milliseconds of `performance.now()`; those of packets count from `zeroMs`. */
export class SoundEncoder {
  readonly #callbacks: Callbacks;
  #clock: SampleClock | undefined;
  #encoder: AudioEncoder | undefined;
  #format: Readonly<{ rateHz: number; channels: number }> | undefined;
  #decoderConfig: AudioDecoderConfig | undefined;
  #zeroMs: number | undefined;
  #isReady = false;
  readonly #restarts = new RestartLimit();

  constructor(callbacks: Callbacks) {
    this.#callbacks = callbacks;
  }

  /** Whether the zero of the track is known, so that the broadcast can begin. */
  get isSettled(): boolean {
    return this.#isReady;
  }

  /** From here on it is encoded. */
  start(zeroMs: number): void {
    this.#zeroMs = zeroMs;
  }

  /** Encodes and closes the block. */
  async take(data: AudioData, nowMs: number): Promise<void> {
    const block = {
      timestampUs: data.timestamp,
      samples: data.numberOfFrames,
      rateHz: data.sampleRate,
    };
    this.#format ??= { rateHz: data.sampleRate, channels: Math.min(2, data.numberOfChannels) };
    if (!this.#clock) {
      this.#clock = new SampleClock(block.rateHz);
      await this.#configure();
    }
    const placement = this.#clock.place(block, nowMs);
    if (placement) {
      this.#isReady = true;
      const { silenceSamples, skipSamples } = placement;
      const keptSamples = block.samples - skipSamples;
      const endMs = this.#clock.endMs;
      if (silenceSamples > 0) this.#silence(silenceSamples, endMs - this.#ms(keptSamples));
      if (keptSamples > 0) this.#encode(data, skipSamples, endMs);
    }
    data.close();
  }

  /** Time passes without sound: silence takes its place. */
  fill(nowMs: number): void {
    const samples = this.#clock?.fill(nowMs) ?? 0;
    if (samples > 0 && this.#clock) this.#silence(samples, this.#clock.endMs);
  }

  async flush(): Promise<void> {
    if (this.#encoder?.state !== 'configured') return;
    await this.#encoder.flush().catch(() => undefined);
    close(this.#encoder);
  }

  async #configure(): Promise<void> {
    if (!this.#format) return;
    const config = await chooseAudio(this.#format, async (one) => {
      return (await AudioEncoder.isConfigSupported(one)).supported ?? false;
    });
    if (!config) return this.#callbacks.onFailure(new Error('Neither AAC nor Opus is supported.'));
    this.#encoder = new AudioEncoder({
      output: (chunk, metadata) => this.#emit(chunk, metadata),
      error: (error) => this.#restart(error),
    });
    this.#encoder.configure(config);
  }

  /** An encoder that fails closes, and the broadcast would go on without sound. */
  #restart(error: Error): void {
    if (this.#restarts.mayRestart(performance.now())) void this.#configure();
    else this.#callbacks.onFailure(error);
  }

  #emit(chunk: EncodedAudioChunk, metadata: EncodedAudioChunkMetadata | undefined): void {
    this.#decoderConfig = metadata?.decoderConfig ?? this.#decoderConfig;
    if (!this.#decoderConfig) return;
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    const durationUs = chunk.duration ?? 20_000;
    this.#callbacks.onSound({ timeUs: chunk.timestamp, durationUs, bytes }, this.#decoderConfig);
  }

  #encode(data: AudioData, skipSamples: number, endMs: number): void {
    const channels = this.#format?.channels ?? 1;
    const samples = data.numberOfFrames - skipSamples;
    const plane = new Float32Array(samples * channels);
    for (let channel = 0; channel < channels; channel += 1) {
      data.copyTo(plane.subarray(channel * samples, (channel + 1) * samples), {
        planeIndex: Math.min(channel, data.numberOfChannels - 1),
        frameOffset: skipSamples,
        format: 'f32-planar',
      });
    }
    this.#feed(plane, samples, endMs);
  }

  #silence(samples: number, endMs: number): void {
    this.#feed(new Float32Array(samples * (this.#format?.channels ?? 1)), samples, endMs);
  }

  #feed(plane: Float32Array<ArrayBuffer>, samples: number, endMs: number): void {
    const { rateHz, channels } = this.#format ?? { rateHz: 48_000, channels: 1 };
    if (this.#zeroMs === undefined || this.#encoder?.state !== 'configured') return;
    const timestamp = Math.round((endMs - this.#ms(samples) - this.#zeroMs) * 1000);
    // An encoder counts from its first samples: those before the zero of the session are none of them.
    if (timestamp < 0) return;
    const data = new AudioData({
      format: 'f32-planar',
      sampleRate: rateHz,
      numberOfFrames: samples,
      numberOfChannels: channels,
      timestamp,
      data: plane,
    });
    this.#encoder.encode(data);
    data.close();
  }

  #ms(samples: number): number {
    return (samples * 1000) / (this.#format?.rateHz ?? 48_000);
  }
}

/** Closing twice throws. */
function close(encoder: AudioEncoder): void {
  if (encoder.state !== 'closed') encoder.close();
}
