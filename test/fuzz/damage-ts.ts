/** Damage to a transport stream (ISO/IEC 13818-1) where its parsers look: headers, tables, parameter sets. */

import { damageBytes } from './damage-bytes.ts';
import type { Random } from './random.ts';

const PACKET_BYTES = 188;
const PROFILES = [66, 77, 88, 100, 110, 122, 244, 44, 83, 86, 118, 128, 134, 135, 138, 139];
const H264_SPS = Buffer.from([0, 0, 1, 0x67]);
const H265_SPS = Buffer.from([0, 0, 1, 0x42]);
const PES_START = Buffer.from([0, 0, 1]);

export function damageTs(random: Random, bytes: Buffer): Buffer {
  const packets: Buffer[] = [];
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    packets.push(Buffer.from(bytes.subarray(at, at + PACKET_BYTES)));
  }
  for (let left = random.pick([1, 1, 2, 4, 10]); left > 0 && packets.length > 2; left -= 1) {
    damagePackets(random, packets);
  }
  return Buffer.concat(packets);
}

const damagePackets = (random: Random, packets: Buffer[]): void =>
  random.pick(WAYS)(random, packets, random.below(packets.length));

type Way = (random: Random, packets: Buffer[], index: number) => void;

/** One byte of one packet. */
const damageAt =
  (at: (random: Random) => number, value = (random: Random): number => random.below(256)): Way =>
  (random, packets, index) => {
    const packet = packets[index];
    if (packet) packet[at(random)] = value(random);
  };

const WAYS: readonly Way[] = [
  (random, packets, index) => {
    packets.splice(index, random.pick([1, 1, 5]));
  },
  (random, packets, index) => {
    const repeated = packets.slice(index, index + 1);
    for (let left = random.pick([1, 1, 300]); left > 0; left -= 1) {
      packets.splice(index, 0, ...repeated);
    }
  },
  (random, packets, index) => {
    const [packet] = packets.splice(index, 1);
    if (packet) packets.splice(random.below(packets.length), 0, packet);
  },
  // PID, control, adaptation field, anything.
  damageAt((random) => 1 + random.below(2)),
  damageAt(() => 3),
  damageAt(
    () => 4,
    (random) => random.pick([0, 1, 182, 183, 184, 255, random.below(256)]),
  ),
  damageAt((random) => random.below(PACKET_BYTES)),
  // PAT and PMT.
  (random, packets) => {
    const table = packets[random.below(Math.min(4, packets.length))];
    table?.writeUInt8(random.pick([0, 0xff, random.below(256)]), 4 + random.below(60));
  },
  // Headers of PES packets.
  (random, packets, index) => {
    const start = packets.slice(index).find((packet) => ((packet[1] ?? 0) & 0x40) !== 0);
    const at = start?.indexOf(PES_START) ?? -1;
    if (at > 0 && at + 14 < PACKET_BYTES) {
      start?.writeUInt8(random.below(256), at + 3 + random.below(11));
    }
  },
  (random, packets) => damageParameterSet(random, packets),
  (random, packets, index) => {
    const packet = packets[index] ?? Buffer.alloc(PACKET_BYTES);
    const damaged = Buffer.concat([damageBytes(random, packet), packet]);
    packets[index] = damaged.subarray(0, PACKET_BYTES);
  },
];

function damageParameterSet(random: Random, packets: readonly Buffer[]): void {
  for (const packet of packets) {
    const at = Math.max(packet.indexOf(H264_SPS), packet.indexOf(H265_SPS));
    if (at < 0 || at + 24 > packet.length) continue;
    if (random.chance(0.5)) packet[at + 4] = random.pick(PROFILES);
    for (let left = random.pick([1, 1, 2, 8]); left > 0; left -= 1) {
      packet[at + 4 + random.below(20)] = random.pick([0, 0xff, random.below(256)]);
    }
    return;
  }
}
