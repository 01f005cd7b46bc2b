/** Ends the movie of an MP4 at a time: what a track has behind it is not played (ISO/IEC 14496-12, 8.6.6). */

import { type Box, boxesAt, viewOf } from '../iso-boxes.ts';

/**
 * `mvhd`, `tkhd` and the last edit of each track, as mediabunny writes them: changed in place, so that no
 * offset moves. Longer tracks alone are cut; one without an edit list has nothing to be cut off.
 */
export function endMovieAt(bytes: Uint8Array, seconds: number): void {
  const view = viewOf(bytes);
  const [movie] = boxesAt(bytes, ['moov', 'mvhd']);
  if (!movie) throw new Error('The file has no mvhd box.');
  const timescale = view.getUint32(movie.bodyStart + (isLong(view, movie) ? 20 : 12));
  // Rounded down: a sample that begins at the end is none of it.
  const end = Math.floor(seconds * timescale);
  let longest = 0;
  for (const track of boxesAt(bytes, ['moov', 'trak'])) {
    const [header] = boxesAt(bytes, ['tkhd'], track);
    const [edits] = boxesAt(bytes, ['edts', 'elst'], track);
    if (!header) continue;
    const at = header.bodyStart + (isLong(view, header) ? 28 : 20);
    const excess = readTime(view, header, at) - end;
    if (edits && excess > 0) {
      const size = isLong(view, edits) ? 20 : 12;
      const last = edits.bodyStart + 8 + size * (view.getUint32(edits.bodyStart + 4) - 1);
      writeTime(view, edits, last, readTime(view, edits, last) - excess);
      writeTime(view, header, at, end);
    }
    longest = Math.max(longest, readTime(view, header, at));
  }
  writeTime(view, movie, movie.bodyStart + (isLong(view, movie) ? 24 : 16), longest);
}

/** Version 1 of a box has times of 64 bits. */
const isLong = (view: DataView, { bodyStart }: Box): boolean => view.getUint8(bodyStart) === 1;

const readTime = (view: DataView, box: Box, at: number): number =>
  isLong(view, box) ? Number(view.getBigUint64(at)) : view.getUint32(at);

function writeTime(view: DataView, box: Box, at: number, ticks: number): void {
  if (isLong(view, box)) view.setBigUint64(at, BigInt(ticks));
  else view.setUint32(at, ticks);
}
