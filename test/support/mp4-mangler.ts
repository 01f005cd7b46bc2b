/** Changes boxes of MP4 files that ffmpeg made, so that they are as other muxers, or attackers, write them. */

import { type BoxContent, box, boxesIn, u32, viewOf } from '../../lib/media/iso-boxes.ts';

const CONTAINERS: ReadonlySet<string> = new Set([
  ...['moov', 'trak', 'edts', 'mdia', 'minf', 'stbl', 'mvex', 'moof', 'traf'],
]);

/**
 * What takes a box's place; undefined: it stays, with its children changed. `path`: of types, from the
 * top level to the box. `body`: what the box holds.
 */
export type BoxChange = (path: string, body: Uint8Array) => readonly Uint8Array[] | undefined;

/** Sizes follow; offsets to samples do not, so that `moov` should lie behind `mdat`. */
export function changeBoxes(bytes: Uint8Array, change: BoxChange): Uint8Array {
  const walk = (from: number, to: number, parents: string): Uint8Array[] =>
    [...boxesIn(bytes, from, to)].flatMap(({ type, start, bodyStart, end }) => {
      const path = parents === '' ? type : `${parents}/${type}`;
      const changed = change(path, bytes.subarray(bodyStart, end));
      if (changed) return [...changed];
      if (!CONTAINERS.has(type)) return [bytes.subarray(start, end)];
      return [box(type, ...walk(bodyStart, end, path))];
    });
  return Buffer.concat(walk(0, bytes.length, ''));
}

/** The boxes at a path are replaced by one of the same type with these contents. */
export const replaceBox = (
  bytes: Uint8Array,
  wanted: string,
  ...contents: readonly BoxContent[]
): Uint8Array =>
  changeBoxes(bytes, (path) =>
    path === wanted ? [box(path.split('/').at(-1) ?? '', ...contents)] : undefined,
  );

/** One number of 32 bits in the boxes at a path is changed; `at` counts from where their contents begin. */
export const setField = (
  bytes: Uint8Array,
  wanted: string,
  at: number,
  value: number | ((before: number) => number),
): Uint8Array =>
  changeBoxes(bytes, (path, body) => {
    if (path !== wanted) return undefined;
    const copy = Uint8Array.from(body);
    const before = viewOf(copy).getUint32(at);
    copy.set(u32(typeof value === 'number' ? value : value(before)), at);
    return [box(path.split('/').at(-1) ?? '', copy)];
  });

/** The tracks of a file, numbered from 0, each changed on its own. */
export function changeTrack(bytes: Uint8Array, index: number, change: BoxChange): Uint8Array {
  let track = -1;
  return changeBoxes(bytes, (path, body) => {
    if (path === 'moov/trak') track += 1;
    return track === index && path.startsWith('moov/trak') ? change(path, body) : undefined;
  });
}

/** `edts` with one list; `[duration, mediaTime]`, or with a rate of 0 for a picture that stands still. */
export const editList = (...edits: readonly (readonly [number, number, 0?])[]): Uint8Array =>
  box(
    'edts',
    box(
      'elst',
      u32(0),
      u32(edits.length),
      ...edits.map(([duration, mediaTime, rate = 1]) => [
        ...u32(duration),
        ...u32(mediaTime >>> 0),
        ...u32(rate << 16),
      ]),
    ),
  );
