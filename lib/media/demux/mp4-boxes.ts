/** The boxes of an MP4 that tell about tracks and samples, read within bounds (ISO/IEC 14496-12, 4.2). */

import { DomainError } from '../../domain/errors.ts';
import { type Box, boxesIn, MAX_BOXES, viewOf } from '../iso-boxes.ts';

export type Mp4Box = Box & Readonly<{ children: readonly Mp4Box[] }>;

export type Mp4Boxes = Readonly<{
  /** Top-level boxes that are whole, and an `mdat` that is not. */
  boxes: readonly Mp4Box[];
  /** Where the sequence of boxes breaks off; a sentence. undefined: the body is whole. */
  damage?: string;
}>;

/** Boxes whose children are read. */
const CONTAINERS: ReadonlySet<string> = new Set([
  ...['moov', 'trak', 'edts', 'mdia', 'minf', 'stbl', 'mvex'],
  ...['moof', 'traf'],
]);
/** `moov/trak/mdia/minf/stbl/stts`, and some more. */
const MAX_DEPTH = 10;

export const undecodable = (
  message: string,
  hint = 'The segment was damaged, or its muxer is broken; play it with ffplay to see.',
): DomainError => new DomainError('undecodable', message, hint);

/** Visits each box once. Throws DomainError `undecodable`. */
export function readBoxes(bytes: Uint8Array): Mp4Boxes {
  let count = 0;
  const walk = (from: number, to: number, parent: string, depth: number): Mp4Box[] => {
    if (depth > MAX_DEPTH) throw undecodable(`Boxes are nested ${depth} deep in box ${parent}.`);
    const found: Mp4Box[] = [];
    for (const box of boxesIn(bytes, from, to)) {
      if (++count > MAX_BOXES) throw undecodable(`The MP4 has more than ${MAX_BOXES} boxes.`);
      if (depth > 0 && box.end > to) {
        throw undecodable(
          `Box ${box.type} ends at byte ${box.end}, behind box ${parent}, which ends at byte ${to}.`,
        );
      }
      const isRead = CONTAINERS.has(box.type) && box.end <= to;
      const children = isRead ? walk(box.bodyStart, box.end, box.type, depth + 1) : [];
      found.push({ ...box, children });
    }
    return found;
  };
  const boxes = walk(0, bytes.byteLength, '', 0);
  const last = boxes.at(-1);
  const end = last?.end ?? 0;
  if (end === bytes.byteLength) return { boxes };
  if (end < bytes.byteLength) {
    const damage = `After box ${last?.type}, ${bytes.byteLength - end} bytes are left over.`;
    return { boxes, damage };
  }
  const damage = `Box ${last?.type} ends at byte ${end}, the data at byte ${bytes.byteLength}.`;
  return { boxes: last?.type === 'mdat' ? boxes : boxes.slice(0, -1), damage };
}

/** The first child at a path of types. */
export const childAt = (box: Mp4Box, ...path: readonly string[]): Mp4Box | undefined =>
  path.reduce<Mp4Box | undefined>(
    (parent, type) => parent?.children.find((child) => child.type === type),
    box,
  );

/** Reads the fields of one box in order. Past the box's end each throws DomainError `undecodable`. */
export class BoxFields {
  readonly #view: DataView;
  readonly #box: Box;
  #at: number;

  constructor(bytes: Uint8Array, box: Box) {
    this.#view = viewOf(bytes);
    this.#box = box;
    this.#at = box.bodyStart;
  }

  /** Version and flags of a full box (4.2.2). */
  versionAndFlags(): Readonly<{ version: number; flags: number }> {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xff_ffff };
  }

  /** A number of entries of `bytesEach`, all of which lie in the box. */
  entryCount(bytesEach: number): number {
    const count = this.u32();
    this.requireEntries(count, bytesEach);
    return count;
  }

  requireEntries(count: number, bytesEach: number): void {
    const room = this.#box.end - this.#at;
    if (count * bytesEach <= room) return;
    throw undecodable(
      `The table ${this.#box.type} speaks of ${count} entries, and has room for ${Math.floor(room / bytesEach)}.`,
    );
  }

  skip(size: number): void {
    this.#take(size);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** Exact below 2^53. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8)));
  }

  i64(): number {
    return Number(this.#view.getBigInt64(this.#take(8)));
  }

  #take(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at <= this.#box.end) return at;
    throw undecodable(`Box ${this.#box.type} is too short for what it must hold.`);
  }
}
