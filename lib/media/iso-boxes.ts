/** Boxes of ISO BMFF (ISO/IEC 14496-12): walking them, what they make of a body, and writing new ones. */

export type Box = Readonly<{
  type: string;
  /** Of the box, in the bytes it was found in. */
  start: number;
  bodyStart: number;
  /** As the box says; may lie behind the end of the bytes. */
  end: number;
}>;

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Boxes between two offsets, one after the other. A size that cannot be ends the walk. A size of 0
 * reaches to the end of the bytes (ISO/IEC 14496-12, 4.2.2), as only the last box of a file may.
 */
export function* boxesIn(bytes: Uint8Array, from = 0, to = bytes.byteLength): Generator<Box> {
  const view = viewOf(bytes);
  for (let start = from; start + 8 <= to; ) {
    const shortSize = view.getUint32(start);
    const type = String.fromCharCode(
      view.getUint8(start + 4),
      view.getUint8(start + 5),
      view.getUint8(start + 6),
      view.getUint8(start + 7),
    );
    const hasLongSize = shortSize === 1 && start + 16 <= to;
    const size = hasLongSize
      ? Number(view.getBigUint64(start + 8))
      : shortSize === 0
        ? bytes.byteLength - start
        : shortSize;
    const bodyStart = start + (hasLongSize ? 16 : 8);
    yield { type, start, bodyStart, end: start + size };
    if (start + size < bodyStart) return;
    start += size;
  }
}

/** Boxes that say by themselves that a body is ISO BMFF: those that it may begin with (4.2 and 8.16). */
const FIRST_BOXES: ReadonlySet<string> = new Set([
  ...['ftyp', 'styp', 'moov', 'moof', 'mdat'],
  ...['sidx', 'emsg', 'prft', 'free', 'skip', 'uuid', 'wide'],
]);

/** A segment has some thousands of boxes; a body of nothing else would cost as much as one of media. */
export const MAX_BOXES = 100_000;

/**
 * `init`: a header without media. `fragment`: media that cannot be read without an init segment.
 * `file`: all others, whole or truncated. undefined: not ISO BMFF.
 */
export type IsoKind = 'init' | 'fragment' | 'file';

/**
 * By the top-level boxes alone; their contents are not read. Boxes of any type may stand in front of
 * the header and the media: readers skip those that they do not know (ISO/IEC 14496-12, 4.2).
 */
export function isoKind(bytes: Uint8Array): IsoKind | undefined {
  const types = new Set<string>();
  let count = 0;
  let startsKnown = false;
  for (const { type } of boxesIn(bytes)) {
    if (types.size === 0) startsKnown = FIRST_BOXES.has(type);
    types.add(type);
    if (++count > MAX_BOXES) break;
  }
  if (types.has('moov')) return types.has('moof') || types.has('mdat') ? 'file' : 'init';
  if (types.has('moof')) return 'fragment';
  return startsKnown ? 'file' : undefined;
}

/**
 * Boxes at the end of a path of types, e.g. all `trun` at `['traf', 'trun']` of a `moof`. A box that
 * ends behind its parent is none of them.
 */
export function boxesAt(
  bytes: Uint8Array,
  path: readonly string[],
  within?: Readonly<{ bodyStart: number; end: number }>,
): Box[] {
  const [type, ...rest] = path;
  const to = within?.end ?? bytes.byteLength;
  const found = [...boxesIn(bytes, within?.bodyStart, to)].filter(
    (box) => box.type === type && box.end <= to,
  );
  return rest.length === 0 ? found : found.flatMap((box) => boxesAt(bytes, rest, box));
}

export type BoxContent = Uint8Array | readonly number[];

/** A box of this type around its contents. */
export function box(type: string, ...contents: readonly BoxContent[]): Uint8Array {
  const size = contents.reduce((sum, content) => sum + content.length, 8);
  const header = [...u32(size), ...Buffer.from(type, 'latin1')];
  return Buffer.concat([header, ...contents].map((content) => Uint8Array.from(content)));
}

export const fullBox = (
  type: string,
  version: number,
  flags: number,
  ...contents: readonly BoxContent[]
): Uint8Array => box(type, u32(((version << 24) | flags) >>> 0), ...contents);

export const u16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)];
export const u64 = (value: number): number[] => [
  ...u32(Math.floor(value / 2 ** 32)),
  ...u32(value % 2 ** 32),
];
