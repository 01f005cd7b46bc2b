/**
 * The sound of a clip's file. Frames of AAC are copied, so none is cut: what lies before the clip in the first
 * is skipped by the track's edit, and the last ends with the clip.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { silentFrames } from '../audio/silence.ts';
import { AAC_FRAME_SAMPLES } from '../demux/audio-frames.ts';
import { parseCmaf, type TimedSample } from '../mux/cmaf.ts';
import type { MovieFile } from '../mux/movie-file.ts';
import { isSame, timedSamples } from './clip-picture.ts';
import { type InitParameters, readInit } from './init-parameters.ts';

/** A piece of sound, and which of it the clip has. */
export type SoundPart = Readonly<{
  /** undefined: there is none here, which is silence. */
  piece: Readonly<{ init: Uint8Array; media: Uint8Array }> | undefined;
  /** Where the part begins on the timeline, and in the movie; 90 kHz. */
  fromTicks: number;
  movieTicks: number;
  /** Up to there in the movie. */
  movieEndTicks: number;
}>;

export type SoundFormat = Readonly<{
  parameters: InitParameters;
  channels: number;
  language: string;
  isDefault: boolean;
}>;

type SoundMovie = Pick<MovieFile, 'addTrack' | 'append' | 'endOf' | 'endAt'>;

type PlacedFrame = Readonly<{ at: number; frame: TimedSample }>;

/** Lays the frames of one track out on the clock of the movie; positions are in samples of it. */
export class ClipSound {
  readonly #movie: SoundMovie;
  readonly #format: SoundFormat;
  readonly #track: number;
  /** Where the first frame begins, not behind the start of the movie; undefined before it is known. */
  #start: number | undefined;
  #frameSamples = AAC_FRAME_SAMPLES;

  constructor(movie: SoundMovie, format: SoundFormat) {
    const { parameters, language, isDefault } = format;
    this.#movie = movie;
    this.#format = format;
    this.#track = movie.addTrack({
      ...{ kind: 'audio', timescale: parameters.timescale, language, isDefault },
      sampleDescription: parameters.sampleDescription,
      skippedTicks: () => -(this.#start ?? 0),
    });
  }

  /**
   * A frame that lies half over the one before is left out, and a hole of half a frame is silent; smaller
   * differences, as where an encoder began anew, are in how long the frame before lasts.
   */
  async add(part: SoundPart): Promise<void> {
    const end = this.#samplesAt(part.movieEndTicks);
    let chunk: PlacedFrame[] = [];
    const flush = async (): Promise<void> => {
      await this.#append(chunk);
      chunk = [];
    };
    for (const placed of this.#framesOf(part)) {
      const { at, frame } = placed;
      const last = chunk.at(-1);
      const cursor = last ? last.at + last.frame.durationTicks : this.#cursor();
      const half = this.#frameSamples / 2;
      // The frame before the first that is heard comes too: a decoder begins with it.
      const isOver = cursor === undefined ? at + 2 * frame.durationTicks <= 0 : at < cursor - half;
      if (isOver || at >= end) continue;
      if (cursor === undefined ? at > 0 : at - cursor > half) {
        await flush();
        await this.#addSilence(at);
      } else if (cursor !== at) await flush();
      chunk.push(placed);
    }
    await flush();
  }

  /** `movieTicks`: the end of the movie. */
  async finish(movieTicks: number): Promise<void> {
    const end = this.#samplesAt(movieTicks);
    if (end > (this.#cursor() ?? 0)) await this.#addSilence(end);
    this.#movie.endAt(this.#track, end - (this.#start ?? 0));
  }

  #framesOf({ piece, fromTicks, movieTicks }: SoundPart): readonly PlacedFrame[] {
    const { parameters } = this.#format;
    if (!piece || !isSame(readInit(piece.init, 'audio'), parameters)) return [];
    const track = parseCmaf(Buffer.concat([piece.init, piece.media]));
    const shift = this.#samplesAt(movieTicks - fromTicks);
    const frames = timedSamples(track).map((frame, index) => {
      return { at: (track.samples[index]?.ptsTicks ?? 0) + shift, frame };
    });
    this.#frameSamples = frames[0]?.frame.durationTicks ?? this.#frameSamples;
    return frames;
  }

  /** Whole frames up to `end`, as near as they come: behind the last frame, or from before the movie begins. */
  async #addSilence(end: number): Promise<void> {
    const cursor = this.#cursor();
    const count = Math.ceil((end - (cursor ?? 0)) / this.#frameSamples - 0.5);
    const frames = silentFrames(
      cursor === undefined ? Math.ceil(end / this.#frameSamples) : Math.max(1, count),
      this.#format.channels,
      this.#frameSamples,
    );
    const at = cursor ?? end - frames.length * this.#frameSamples;
    await this.#append(
      frames.map((frame, index) => ({ at: at + index * this.#frameSamples, frame })),
    );
  }

  async #append(placed: readonly PlacedFrame[]): Promise<void> {
    const [first] = placed;
    if (!first) return;
    this.#start ??= first.at;
    const frames = placed.map(({ frame }) => frame);
    await this.#movie.append(this.#track, first.at - this.#start, frames);
  }

  /** Where the last frame ends; undefined before the first. */
  #cursor(): number | undefined {
    return this.#start === undefined ? undefined : this.#start + this.#movie.endOf(this.#track);
  }

  #samplesAt(ticks: number): number {
    return Math.round((ticks * this.#format.parameters.timescale) / TICKS_PER_SECOND);
  }
}
