/**
 * Bounds the sample counts in the tables of an MP4 (ISO/IEC 14496-12, 8.6 to 8.8). Parsers expand the
 * tables by these counts: a damaged one would keep a process busy for hours, so this runs first.
 */

import { DomainError } from '../../domain/errors.ts';
import { type Box, boxesAt, viewOf } from '../iso-boxes.ts';

/** Four minutes of 120 frames a second, ten minutes of AAC. */
const MAX_SAMPLES = 30_000;

/** Throws `undecodable`. */
export function checkSampleTables(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  const check = (box: Box, samples: number): void => {
    if (samples <= MAX_SAMPLES) return;
    throw new DomainError(
      'undecodable',
      `The table ${box.type} speaks of ${samples} samples; a segment has ${MAX_SAMPLES} at most.`,
      'Cut shorter segments; if they are short, the file was damaged on its way.',
    );
  };
  const numberAt = (box: Box, at: number): number =>
    box.bodyStart + at + 4 <= Math.min(box.end, bytes.byteLength)
      ? view.getUint32(box.bodyStart + at)
      : 0;
  for (const table of boxesAt(bytes, ['moov', 'trak', 'mdia', 'minf', 'stbl'])) {
    for (const [type, stride, field] of RUN_TABLES) {
      for (const box of boxesAt(bytes, [type], table)) {
        const room = Math.floor((box.end - box.bodyStart - 8) / stride);
        const entries = Math.min(numberAt(box, 4), Math.max(0, room));
        let samples = 0;
        for (let entry = 0; entry < entries; entry += 1) {
          const count = numberAt(box, 8 + entry * stride + field);
          samples = type === 'stsc' ? Math.max(samples, count) : samples + count;
        }
        check(box, samples);
      }
    }
    for (const box of boxesAt(bytes, ['stsz'], table)) check(box, numberAt(box, 8));
  }
  for (const box of boxesAt(bytes, ['moof', 'traf', 'trun'])) check(box, numberAt(box, 4));
}

/** Type, bytes of an entry, and where in it the number of samples stands. */
const RUN_TABLES: readonly (readonly [string, number, number])[] = [
  ['stts', 8, 0],
  ['ctts', 8, 0],
  ['stsc', 12, 4],
];
