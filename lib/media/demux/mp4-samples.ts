/** Samples of an MP4 track, and how many of them a segment may have. */

import { undecodable } from './mp4-boxes.ts';

/** Times in the track's time scale. */
export type Mp4Sample = Readonly<{
  /** First byte in the body. */
  at: number;
  sizeBytes: number;
  presentation: number;
  duration: number;
  isSync: boolean;
  /** Which entry of `stsd` describes it; counted from 1. */
  description: number;
}>;

/** Of one track: four minutes of 120 frames a second, ten minutes of AAC. */
export const MAX_TRACK_SAMPLES = 30_000;
const MAX_SAMPLES = 100_000;

/** Counts what the tables announce, before any of it is believed. One for each body. */
export class SampleBudget {
  #left = MAX_SAMPLES;
  readonly #ofTrack = new Map<number, number>();

  /** `table`: where the number stands. Throws DomainError `undecodable`. */
  spend(trackId: number, samples: number, table: string): void {
    const all = (this.#ofTrack.get(trackId) ?? 0) + samples;
    this.#ofTrack.set(trackId, all);
    requirePlausible(all, table, MAX_TRACK_SAMPLES);
    this.#left -= samples;
    if (this.#left < 0) requirePlausible(MAX_SAMPLES - this.#left, table, MAX_SAMPLES);
  }
}

/** Throws DomainError `undecodable`. */
export function requirePlausible(samples: number, table: string, most = MAX_TRACK_SAMPLES): void {
  if (samples <= most) return;
  throw undecodable(
    `The table ${table} speaks of ${samples} samples; a segment has ${most} at most.`,
    'Cut shorter segments; if they are short, the file was damaged on its way.',
  );
}

/**
 * Each byte belongs to one sample of a track; edits may show a part of them several times. So what is made
 * of a body is not much larger than the body. Throws DomainError `undecodable`.
 */
export function requireDistinctBytes(
  samples: readonly Mp4Sample[],
  trackId: number,
  bodyBytes: number,
  repeats = 1,
): void {
  const sum = samples.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
  if (sum <= bodyBytes * repeats) return;
  throw undecodable(
    `The samples of track ${trackId} have ${sum} bytes, the segment ${bodyBytes}: they lie over each other.`,
  );
}
