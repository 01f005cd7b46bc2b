/**
 * A movie as one file (ISO/IEC 14496-12), however long: samples go to a file on the disk as they come, and
 * their tables, which stand in front of them so that players begin at once, are written at the end.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { u32 } from '../iso-boxes.ts';
import type { TimedSample } from './cmaf.ts';
import { type MovieTrack, movieHeader } from './movie-header.ts';
import { SampleTables } from './sample-tables.ts';

type Written = Readonly<{ track: MovieTrack; tables: SampleTables }>;

/** Of one sample, and of all: in a box with a size of 64 bits. */
const MDAT_HEADER_BYTES = 16;

export class MovieFile {
  readonly #file: FileHandle;
  readonly #tracks: Written[] = [];
  #sizeBytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** `path`: where the samples go; nothing must be there. */
  static async create(path: string): Promise<MovieFile> {
    return new MovieFile(await open(path, 'wx'));
  }

  /** Returns its number, by which samples are added. */
  addTrack(track: MovieTrack): number {
    return this.#tracks.push({ track, tables: new SampleTables() }) - 1;
  }

  /** Where the last sample of a track ends, in its time scale; 0 before the first. */
  endOf(track: number): number {
    return this.#tracks[track]?.tables.endTicks ?? 0;
  }

  /**
   * Adds samples in decode order; the first is decoded at `atTicks` of the track's media, up to where the
   * sample before lasts then.
   */
  async append(track: number, atTicks: number, samples: readonly TimedSample[]): Promise<void> {
    const tables = this.#tracks[track]?.tables;
    if (!tables || samples.length === 0) return;
    tables.addChunk(this.#sizeBytes, atTicks, samples);
    const bytes = Buffer.concat(samples.map((sample) => sample.bytes));
    await this.#file.writeFile(bytes);
    this.#sizeBytes += bytes.byteLength;
  }

  /** The last sample of a track lasts up to this. */
  endAt(track: number, ticks: number): void {
    this.#tracks[track]?.tables.endAt(ticks);
  }

  /** What stands in front of the samples in the finished movie. `durationTicks`: of the movie, 90 kHz. */
  finish(durationTicks: number): Uint8Array {
    // The offsets of the samples depend on the header's size, which does not depend on the offsets.
    const isLarge = this.#sizeBytes > 0xff00_0000;
    const headerAt = (offset: number): Uint8Array =>
      movieHeader(this.#tracks, durationTicks, offset, isLarge);
    const offset = headerAt(0).byteLength + MDAT_HEADER_BYTES;
    const size = this.#sizeBytes + MDAT_HEADER_BYTES;
    const mdat = [
      ...[...u32(1), ...Buffer.from('mdat')],
      ...[...u32(Math.floor(size / 2 ** 32)), ...u32(size % 2 ** 32)],
    ];
    return Buffer.concat([headerAt(offset), Uint8Array.from(mdat)]);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
