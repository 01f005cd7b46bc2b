/** Damage to any bytes: bits, fields, stretches. */

import type { Random } from './random.ts';

export const LARGE_NUMBERS = [
  ...[0, 1, 2, 7, 8, 16, 255, 29_999, 30_001, 1 << 16, 1 << 20],
  ...[0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff],
];

export function damageBytes(random: Random, bytes: Buffer): Buffer {
  let damaged: Buffer = Buffer.from(bytes);
  for (let left = random.pick([1, 1, 2, 5, 30]); left > 0 && damaged.length > 0; left -= 1) {
    damaged = damageOnce(random, damaged);
  }
  return damaged;
}

function damageOnce(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length);
  const stretch = Math.min(bytes.length, at + 1 + random.below(64));
  switch (random.below(7)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
      return bytes;
    case 2:
      if (at + 4 <= bytes.length) bytes.writeUInt32BE(random.pick(LARGE_NUMBERS), at);
      return bytes;
    case 3:
      bytes.fill(random.pick([0, 0xff]), at, stretch);
      return bytes;
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(stretch)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, stretch), bytes.subarray(at)]);
    default:
      return random.chance(0.3) ? bytes.subarray(0, at + 1) : bytes;
  }
}

/** The beginning of one and the end of another. */
export const splice = (random: Random, one: Buffer, other: Buffer, unit = 1): Buffer =>
  Buffer.concat([
    one.subarray(0, unit * random.below(one.length / unit)),
    other.subarray(unit * random.below(other.length / unit)),
  ]);
