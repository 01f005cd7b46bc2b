/** Damage to ISO BMFF (ISO/IEC 14496-12): sizes, counts, boxes that are missing, repeated or elsewhere. */

import { damageBytes, LARGE_NUMBERS } from './damage-bytes.ts';
import type { Random } from './random.ts';

const PARENTS = ['moov', 'trak', 'edts', 'mdia', 'minf', 'stbl', 'mvex', 'moof', 'traf', 'dinf'];
const LEAVES = [
  ...['ftyp', 'mvhd', 'tkhd', 'mdhd', 'hdlr', 'elst', 'stsd', 'stts', 'ctts', 'stsc', 'stsz'],
  ...['stz2', 'stco', 'co64', 'stss', 'trex', 'mfhd', 'tfhd', 'tfdt', 'trun', 'sidx', 'mdat'],
];
const TYPES = [...PARENTS, ...LEAVES];

const box = (type: string, body: Buffer, size = 8 + body.length): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(size >>> 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
};

/** Of one of the types that are there, some boxes or all are changed in one way. */
export function damageMp4(random: Random, bytes: Buffer): Buffer {
  const present = TYPES.filter((type) => bytes.includes(type, 0, 'latin1'));
  const target = random.pick(present);
  const way = random.below(WAYS.length);
  return rewrite(bytes, (type, body) =>
    type === target && random.chance(0.7) ? WAYS[way]?.(random, type, body) : undefined,
  );
}

/** Parents get the sizes of their changed children. */
function rewrite(
  bytes: Buffer,
  change: (type: string, body: Buffer) => Buffer | undefined,
): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) break;
    const type = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + size);
    const inner = PARENTS.includes(type) ? rewrite(body, change) : body;
    parts.push(change(type, inner) ?? box(type, inner));
    at += size;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]);
}

type Way = (random: Random, type: string, body: Buffer) => Buffer;

const WAYS: readonly Way[] = [
  // A field: a count, an offset, a time.
  (random, type, body) => {
    const changed = Buffer.from(body);
    const fields = Math.floor(body.length / 4);
    if (fields > 0) {
      const at = 4 * random.below(random.chance(0.6) ? Math.min(fields, 4) : fields);
      changed.writeUInt32BE(random.pick(LARGE_NUMBERS), at);
    }
    return box(type, changed);
  },
  (random, type, body) => box(type, body.subarray(0, random.below(body.length + 1))),
  (random, type, body) =>
    Buffer.concat(Array.from({ length: random.pick([2, 3, 100]) }, () => box(type, body))),
  () => Buffer.alloc(0),
  (random, type, body) => {
    const long = Buffer.alloc(8);
    const sizes = [16n + BigInt(body.length), 0n, 16n, 1n << 40n, 1n << 63n, (1n << 64n) - 1n];
    long.writeBigUInt64BE(random.pick(sizes));
    return box(type, Buffer.concat([long, body]), 1);
  },
  (random, type, body) => {
    const length = body.length;
    return box(
      type,
      body,
      random.pick([0, 2, 7, 8, 9, length, length + 16, 0x7fff_ffff, 2 ** 32 - 1]),
    );
  },
  // Somewhere else, and deep.
  (random, type, body) => {
    let nested = box(type, body);
    const around = [type, 'mdia', 'edts', 'stbl', 'udta', 'meta', 'trak'];
    for (let depth = random.pick([1, 2, 50, 2000]); depth > 0; depth -= 1) {
      nested = box(random.pick(around), nested);
    }
    return nested;
  },
  (random, type, body) => box(type, damageBytes(random, body)),
  (random, _type, body) => box(random.pick(TYPES), body),
  // Runs of samples that are each within a limit.
  (random, type, body) => {
    const runs = Buffer.alloc(8);
    runs.writeUInt32BE(random.pick([1000, 29_999]), 4);
    return Buffer.concat([
      box(type, body),
      ...Array.from({ length: random.pick([10, 1000]) }, () => box('trun', runs)),
    ]);
  },
];
