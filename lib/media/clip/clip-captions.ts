/** The captions of a clip's file: cues as they overlap, in texts of which one is shown at a time. */

import type { CaptionRendition } from '../../domain/presentation.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import type { MovieFile } from '../mux/movie-file.ts';
import { TEXT_TIMESCALE, textDescription, textSample } from '../mux/timed-text.ts';

/** Cues of a part of the clip; they may begin before it and end behind it. Times on the part's timeline. */
export type CaptionPart = Readonly<{
  cues: readonly MovieCue[];
  fromTicks: number;
  /** Where the part begins in the movie, and ends. */
  movieTicks: number;
  movieEndTicks: number;
}>;

/** `text`: without tags. */
export type MovieCue = Readonly<{ from: number; to: number; text: string }>;

export type CaptionFormat = Pick<CaptionRendition, 'label' | 'isForced' | 'isSdh'> &
  Readonly<{
    /** BCP 47. */
    language: string;
    /** Of the picture; 0: there is none. */
    widthPx: number;
    heightPx: number;
  }>;

type TextMovie = Pick<MovieFile, 'addTrack' | 'append' | 'endOf'>;

/** Times are whole milliseconds of the movie. A track in which nothing is said has no samples. */
export class ClipCaptions {
  readonly #movie: TextMovie;
  readonly #track: number;
  /** What is shown since the last sample's end. */
  #text = '';

  constructor(movie: TextMovie, format: CaptionFormat) {
    const { language, label, widthPx, heightPx, isForced, isSdh } = format;
    this.#movie = movie;
    this.#track = movie.addTrack({
      ...{ kind: 'subtitle', timescale: TEXT_TIMESCALE, language, label, isDefault: false },
      sampleDescription: textDescription({ widthPx, heightPx, isForced }),
      ...{ widthPx, heightPx },
      role: isForced ? 'forced-subtitle' : isSdh ? 'caption' : undefined,
      skippedTicks: () => 0,
    });
  }

  async add({ cues, fromTicks, movieTicks, movieEndTicks }: CaptionPart): Promise<void> {
    const end = msOf(movieEndTicks);
    const start = msOf(movieTicks);
    const shown = cues.map(({ from, to, text }) => ({
      text,
      from: msOf(from - fromTicks + movieTicks),
      to: msOf(to - fromTicks + movieTicks),
    }));
    const changes = new Set([start, ...shown.flatMap(({ from, to }) => [from, to])]);
    for (const at of [...changes].filter((ms) => ms >= start && ms < end).sort((a, b) => a - b)) {
      const now = shown.filter(({ from, to }) => from <= at && at < to);
      await this.#change(at, now.map(({ text }) => text).join('\n'));
    }
  }

  /** `movieTicks`: the end of the movie. */
  async finish(movieTicks: number): Promise<void> {
    if (this.#movie.endOf(this.#track) === 0 && this.#text === '') return;
    await this.#change(msOf(movieTicks), undefined);
  }

  /** undefined: the end. A text that goes on over a seam is one sample. */
  async #change(at: number, text: string | undefined): Promise<void> {
    if (text === this.#text) return;
    const since = this.#movie.endOf(this.#track);
    if (at > since) {
      await this.#movie.append(this.#track, since, [textSample(this.#text, at - since)]);
    }
    this.#text = text ?? '';
  }
}

const msOf = (ticks: number): number => Math.round(ticksToMs(ticks));
