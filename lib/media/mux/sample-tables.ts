/** The tables of a track's samples (ISO/IEC 14496-12, 8.6 and 8.7), as they grow. Of hours: a few bytes a sample. */

import { type BoxContent, box, fullBox, u32, u64 } from '../iso-boxes.ts';
import type { TimedSample } from './cmaf.ts';

/** Whole numbers of 32 bits, one behind the other. */
class Numbers {
  #values = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  pop(): void {
    this.length -= 1;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }

  /** Big endian. */
  bytes(): Uint8Array {
    const bytes = Buffer.alloc(4 * this.length);
    for (let index = 0; index < this.length; index += 1) {
      bytes.writeUInt32BE(this.at(index), 4 * index);
    }
    return bytes;
  }
}

/** Values of which many are alike: how often each comes in a row. */
class Runs {
  /** The count of a run, then its value. */
  readonly #pairs = new Numbers();

  push(value: number): void {
    const last = this.#pairs.length - 2;
    const isSame = last >= 0 && this.#pairs.at(last + 1) === value;
    const count = isSame ? this.#pairs.at(last) + 1 : 1;
    if (isSame) this.#dropRun();
    this.#pairs.push(count);
    this.#pairs.push(value);
  }

  pop(): number | undefined {
    const last = this.#pairs.length - 2;
    if (last < 0) return undefined;
    const [count, value] = [this.#pairs.at(last), this.#pairs.at(last + 1)];
    this.#dropRun();
    if (count > 1) {
      this.#pairs.push(count - 1);
      this.#pairs.push(value);
    }
    return value;
  }

  #dropRun(): void {
    this.#pairs.pop();
    this.#pairs.pop();
  }

  hasOnly(value: number): boolean {
    for (let index = 1; index < this.#pairs.length; index += 2) {
      if (this.#pairs.at(index) !== value) return false;
    }
    return true;
  }

  content(): BoxContent[] {
    return [u32(this.#pairs.length / 2), this.#pairs.bytes()];
  }
}

export class SampleTables {
  readonly #durations = new Runs();
  readonly #compositions = new Runs();
  readonly #sizes = new Numbers();
  /** Numbers of the sync samples, from 1. */
  readonly #syncs = new Numbers();
  /** Samples of each chunk, and where it lies behind the first sample of the file, in two halves. */
  readonly #chunkSamples = new Numbers();
  readonly #chunkHigh = new Numbers();
  readonly #chunkLow = new Numbers();
  endTicks = 0;

  /** Samples that lie together, `offset` bytes behind the first of the file. */
  addChunk(offset: number, atTicks: number, samples: readonly TimedSample[]): void {
    this.endAt(atTicks);
    this.#chunkSamples.push(samples.length);
    this.#chunkHigh.push(Math.floor(offset / 2 ** 32));
    this.#chunkLow.push(offset % 2 ** 32);
    for (const { bytes, isSync, durationTicks, compositionTicks } of samples) {
      this.#sizes.push(bytes.byteLength);
      this.#durations.push(durationTicks);
      this.#compositions.push(compositionTicks);
      if (isSync) this.#syncs.push(this.#sizes.length);
      this.endTicks += durationTicks;
    }
  }

  /** The last sample lasts up to this, a tick at least. */
  endAt(ticks: number): void {
    const last = this.#durations.pop();
    if (last === undefined) return;
    const durationTicks = Math.max(1, last + ticks - this.endTicks);
    this.#durations.push(durationTicks);
    this.endTicks += durationTicks - last;
  }

  /** `stbl`. `fileOffset`: of the first sample of the file. */
  box(sampleDescription: BoxContent, fileOffset: number, isLarge: boolean): Uint8Array {
    const allSync = this.#syncs.length === this.#sizes.length;
    return box(
      'stbl',
      sampleDescription,
      fullBox('stts', 0, 0, ...this.#durations.content()),
      ...(this.#compositions.hasOnly(0)
        ? []
        : [fullBox('ctts', 0, 0, ...this.#compositions.content())]),
      ...(allSync ? [] : [fullBox('stss', 0, 0, u32(this.#syncs.length), this.#syncs.bytes())]),
      this.#samplesToChunks(),
      fullBox('stsz', 0, 0, u32(0), u32(this.#sizes.length), this.#sizes.bytes()),
      this.#chunkOffsets(fileOffset, isLarge),
    );
  }

  #samplesToChunks(): Uint8Array {
    const entries = new Numbers();
    for (let chunk = 0; chunk < this.#chunkSamples.length; chunk += 1) {
      const samples = this.#chunkSamples.at(chunk);
      if (chunk > 0 && this.#chunkSamples.at(chunk - 1) === samples) continue;
      for (const value of [chunk + 1, samples, 1]) entries.push(value);
    }
    return fullBox('stsc', 0, 0, u32(entries.length / 3), entries.bytes());
  }

  #chunkOffsets(fileOffset: number, isLarge: boolean): Uint8Array {
    const count = this.#chunkLow.length;
    const bytes = Buffer.alloc(count * (isLarge ? 8 : 4));
    for (let chunk = 0; chunk < count; chunk += 1) {
      const at = this.#chunkHigh.at(chunk) * 2 ** 32 + this.#chunkLow.at(chunk) + fileOffset;
      if (isLarge) bytes.set(u64(at), 8 * chunk);
      else bytes.writeUInt32BE(at, 4 * chunk);
    }
    return fullBox(isLarge ? 'co64' : 'stco', 0, 0, u32(count), bytes);
  }
}
