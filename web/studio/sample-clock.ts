/**
 * The clock of the sound: it counts samples, because the timestamps of `AudioData` jump, and an encoder
 * counts samples as well. Pure.
 */

/** What arrives at once: timestamps in microseconds of the track's own clock. */
export type SoundBlock = Readonly<{ timestampUs: number; samples: number; rateHz: number }>;

/** What goes to the encoder: silence, then the block without its first samples. */
export type SoundPlacement = Readonly<{ silenceSamples: number; skipSamples: number }>;

const SETTLING_MS = 1000;
/** A shorter gap between timestamps is rounding. */
const MIN_GAP_MS = 15;
/** Nobody hears or sees less; smaller corrections would be many. */
const MIN_CORRECTION_MS = 40;
const CORRECTION_INTERVAL_MS = 10_000;
/** A source that has been silent for so long gives nothing any more. */
const SILENT_SOURCE_MS = 500;

/** All blocks have the rate of the first. Times are in milliseconds of any one clock that never jumps. */
export class SampleClock {
  readonly #rateHz: number;
  #settlesAtMs: number | undefined;
  /** When the sample with the number 0 was taken. */
  #startMs = Number.POSITIVE_INFINITY;
  #samples = 0;
  #nextTimestampUs = 0;
  #lastArrivedMs = 0;
  #leastLagMs = Number.POSITIVE_INFINITY;
  #windowSinceMs = 0;
  #owedSkip = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  /** When the sample that comes next was taken. Only once a block was placed. */
  get endMs(): number {
    return this.#startMs + this.#ms(this.#samples);
  }

  /** undefined for blocks of the first second: they tell the zero of the track, and are not encoded. */
  place({ timestampUs, samples }: SoundBlock, arrivedMs: number): SoundPlacement | undefined {
    const gapMs = (timestampUs - this.#nextTimestampUs) / 1000;
    this.#nextTimestampUs = timestampUs + this.#ms(samples) * 1000;
    this.#lastArrivedMs = arrivedMs;
    if (this.#settlesAtMs === undefined) this.#settlesAtMs = arrivedMs + SETTLING_MS;
    if (arrivedMs <= this.#settlesAtMs) {
      this.#samples += samples;
      this.#startMs = Math.min(this.#startMs, arrivedMs - this.#ms(this.#samples));
      this.#windowSinceMs = arrivedMs;
      return undefined;
    }
    const lagMs = arrivedMs - this.endMs - this.#ms(samples);
    const silenceSamples = this.#count(this.#missingMs(gapMs, lagMs, arrivedMs));
    if (lagMs <= -MIN_CORRECTION_MS && this.#owedSkip === 0) this.#owedSkip = this.#count(-lagMs);
    const skipSamples = Math.min(samples, this.#owedSkip);
    this.#owedSkip -= skipSamples;
    this.#samples += silenceSamples + samples - skipSamples;
    return { silenceSamples, skipSamples };
  }

  /** Samples of silence that stand for a source from which nothing comes any more. */
  fill(nowMs: number): number {
    if (this.#settlesAtMs === undefined || nowMs <= this.#settlesAtMs) return 0;
    if (nowMs - this.#lastArrivedMs < SILENT_SOURCE_MS) return 0;
    const samples = this.#count(Math.max(0, nowMs - SILENT_SOURCE_MS - this.endMs));
    this.#samples += samples;
    if (samples > 0) this.#restartWindow(nowMs);
    return samples;
  }

  /** A gap between timestamps counts as far as the wall clock confirms it; drift, once in a while. */
  #missingMs(gapMs: number, lagMs: number, arrivedMs: number): number {
    const lostMs = Math.min(gapMs, lagMs);
    if (lostMs > MIN_GAP_MS) {
      this.#restartWindow(arrivedMs);
      return lostMs;
    }
    this.#leastLagMs = Math.min(this.#leastLagMs, lagMs);
    if (arrivedMs - this.#windowSinceMs < CORRECTION_INTERVAL_MS) return 0;
    const driftMs = this.#leastLagMs;
    this.#restartWindow(arrivedMs);
    return driftMs >= MIN_CORRECTION_MS ? driftMs : 0;
  }

  #restartWindow(nowMs: number): void {
    this.#leastLagMs = Number.POSITIVE_INFINITY;
    this.#windowSinceMs = nowMs;
  }

  #ms(samples: number): number {
    return (samples * 1000) / this.#rateHz;
  }

  #count(milliseconds: number): number {
    return Math.round((milliseconds * this.#rateHz) / 1000);
  }
}
