/** Writes the file of a clip part by part, so that a clip of hours takes no more memory than one of a minute. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { MovieFile } from '../mux/movie-file.ts';
import { cutPicture, type PictureTarget } from './clip-picture.ts';
import { ClipSound, type SoundFormat } from './clip-sound.ts';

export type CmafPiece = Readonly<{ init: Uint8Array; media: Uint8Array }>;

/** A part of one entry of the recording; times on its timeline. */
export type MoviePart = Readonly<{
  fromTicks: number;
  toTicks: number;
  /** undefined: the clip has no picture. */
  video: CmafPiece | undefined;
  framesPerSecond: number;
  /** One for each track of sound, in their order. */
  audio: readonly (CmafPiece | undefined)[];
}>;

export type ClipMovieOptions = Readonly<{
  /** undefined: sound alone. */
  target: PictureTarget | undefined;
  sound: readonly SoundFormat[];
  threads?: number | undefined;
  folder: string;
  signal: AbortSignal;
}>;

export type WorkFolder = Readonly<{ path: string; remove(): Promise<void> }>;

/** A folder of one job, for its movie and for what its encoders need. */
export async function makeWorkFolder(parent: string): Promise<WorkFolder> {
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, 'clip-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export class ClipMovie {
  readonly #options: ClipMovieOptions;
  readonly #movie: MovieFile;
  readonly #samplesPath: string;
  readonly #video: number | undefined;
  /** Captions will be tracks beside these. */
  readonly #sound: readonly ClipSound[];
  /** The movie so far. */
  #endTicks = 0;

  private constructor(options: ClipMovieOptions, movie: MovieFile, samplesPath: string) {
    const { target, sound } = options;
    this.#options = options;
    this.#movie = movie;
    this.#samplesPath = samplesPath;
    this.#video =
      target &&
      movie.addTrack({
        ...{ kind: 'video', timescale: TICKS_PER_SECOND, isDefault: true },
        sampleDescription: target.parameters.sampleDescription,
        ...{ widthPx: target.rung.widthPx, heightPx: target.rung.heightPx },
        skippedTicks: () => 0,
      });
    this.#sound = sound.map((format) => new ClipSound(movie, format));
  }

  static async create(options: ClipMovieOptions): Promise<ClipMovie> {
    const path = join(options.folder, 'samples');
    return new ClipMovie(options, await MovieFile.create(path), path);
  }

  get endTicks(): number {
    return this.#endTicks;
  }

  /** Behind what there is. A part in which no picture begins adds nothing. */
  async add(part: MoviePart): Promise<void> {
    const { target } = this.#options;
    let { fromTicks, toTicks } = part;
    if (target && this.#video !== undefined) {
      const { video, framesPerSecond } = part;
      const cut =
        video &&
        (await cutPicture(
          { ...video, fromTicks, toTicks },
          target,
          framesPerSecond,
          this.#options,
        ));
      if (!cut) return;
      ({ startTicks: fromTicks, endTicks: toTicks } = cut);
      await this.#movie.append(this.#video, this.#endTicks, cut.samples);
    }
    const movieTicks = this.#endTicks;
    this.#endTicks += toTicks - fromTicks;
    const movieEndTicks = this.#endTicks;
    for (const [index, sound] of this.#sound.entries()) {
      await sound.add({ piece: part.audio[index], fromTicks, movieTicks, movieEndTicks });
    }
  }

  /** Returns the files that it is made of, one behind the other. */
  async finish(): Promise<readonly string[]> {
    for (const sound of this.#sound) await sound.finish(this.#endTicks);
    if (this.#video !== undefined) this.#movie.endAt(this.#video, this.#endTicks);
    const headerPath = join(this.#options.folder, 'header');
    await writeFile(headerPath, this.#movie.finish(this.#endTicks));
    return [headerPath, this.#samplesPath];
  }

  /** Once its files were written, or none is. */
  close(): Promise<void> {
    return this.#movie.close();
  }
}
