/** Rewrites real transport streams as other muxers, networks and attackers would leave them. */

import { crc32 } from '../../lib/media/demux/mpegts-tables.ts';

/** What ffmpeg's muxer gives the tables and the first two streams. */
export const PIDS = { pat: 0, pmt: 0x1000, video: 0x100, audio: 0x101 } as const;

export type TsPackets = readonly Buffer[];

export const splitPackets = (bytes: Uint8Array): Buffer[] =>
  Array.from({ length: bytes.length / 188 }, (_, index) =>
    Buffer.from(bytes.subarray(index * 188, index * 188 + 188)),
  );

export const pidOf = (packet: Buffer): number => packet.readUInt16BE(1) & 0x1fff;

export const startsUnit = (packet: Buffer): boolean => ((packet[1] ?? 0) & 0x40) !== 0;

export const ofPid = (packets: TsPackets, pid: number): Buffer[] =>
  packets.filter((packet) => pidOf(packet) === pid);

const payloadStart = (packet: Buffer): number =>
  (packet[3] ?? 0) & 0x20 ? 5 + (packet[4] ?? 0) : 4;

/** Packets of 192 bytes with a time stamp in front, or of 204 with parity behind. */
export const reframe = (packets: TsPackets, stride: 192 | 204): Buffer =>
  Buffer.concat(
    packets.flatMap((packet) =>
      stride === 192 ? [Buffer.alloc(4, 0x33), packet] : [packet, Buffer.alloc(16, 0x55)],
    ),
  );

export const withPid = (packet: Buffer, pid: number): Buffer => {
  const moved = Buffer.from(packet);
  moved.writeUInt16BE((packet.readUInt16BE(1) & 0xe000) | pid, 1);
  return moved;
};

/** A section with its CRC. `body`: behind the five bytes of the table's header. */
export function makeSection(
  tableId: number,
  id: number,
  body: readonly number[],
  version = 0,
): Buffer {
  const length = 5 + body.length + 4;
  const flags = 0xc1 | (version << 1);
  const header = [tableId, 0xb0 | (length >> 8), length & 0xff, id >> 8, id & 0xff, flags, 0, 0];
  const section = Buffer.from([...header, ...body, 0, 0, 0, 0]);
  section.writeUInt32BE(crc32(section.subarray(0, -4)), section.length - 4);
  return section;
}

/** `programs`: number → PID of its map. */
export const makePat = (programs: readonly (readonly [number, number])[]): Buffer =>
  makeSection(
    0,
    1,
    programs.flatMap(([number, pid]) => [
      number >> 8,
      number & 0xff,
      0xe0 | (pid >> 8),
      pid & 0xff,
    ]),
  );

export type MapEntry = Readonly<{ type: number; pid: number; descriptors?: readonly number[] }>;

export const makePmt = (
  program: number,
  entries: readonly MapEntry[],
  programDescriptors: readonly number[] = [],
  version = 0,
): Buffer => {
  const length = (bytes: readonly number[]) => [0xf0 | (bytes.length >> 8), bytes.length & 0xff];
  const body = [
    ...[0xe1, 0x00, ...length(programDescriptors), ...programDescriptors],
    ...entries.flatMap(({ type, pid, descriptors = [] }) => [
      ...[type, 0xe0 | (pid >> 8), pid & 0xff, ...length(descriptors), ...descriptors],
    ]),
  ];
  return makeSection(2, program, body, version);
};

/** Bytes in the packets of a PID, the last one filled up. */
export function packetize(pid: number, unit: Buffer, firstCounter = 0): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < unit.length; ) {
    const room = Math.min(184, unit.length - at);
    const packet = Buffer.alloc(188, 0xff);
    const stuffing = 184 - room;
    const counter = (firstCounter + packets.length) & 15;
    packet.writeUInt32BE(
      0x47000000 |
        ((at === 0 ? 0x40 : 0) << 16) |
        (pid << 8) |
        (stuffing > 0 ? 0x30 : 0x10) |
        counter,
    );
    if (stuffing > 0) packet[4] = stuffing - 1;
    if (stuffing > 1) packet[5] = 0;
    unit.copy(packet, 188 - room, at, at + room);
    packets.push(packet);
    at += room;
  }
  return packets;
}

/** Sections behind one another, stuffed at the end as tables are. */
export function packetizeSections(pid: number, ...sections: readonly Buffer[]): Buffer[] {
  const bytes = Buffer.concat([Buffer.of(0), ...sections]);
  const filled = Buffer.alloc(Math.ceil(bytes.length / 184) * 184, 0xff);
  bytes.copy(filled);
  return packetize(pid, filled);
}

/** Other tables in place of the stream's own. */
export const withTables = (packets: TsPackets, tables: TsPackets): Buffer[] => [
  ...tables,
  ...packets.filter((packet) => pidOf(packet) !== PIDS.pat && pidOf(packet) !== PIDS.pmt),
];

export type Pes = Readonly<{ header: Buffer; data: Buffer }>;

/** The PES packets of a PID. */
export function splitPes(packets: TsPackets, pid: number): Pes[] {
  const units: Buffer[][] = [];
  for (const packet of ofPid(packets, pid)) {
    if (startsUnit(packet)) units.push([]);
    units.at(-1)?.push(packet.subarray(payloadStart(packet)));
  }
  return units.map((parts) => {
    const bytes = Buffer.concat(parts);
    const headerBytes = 9 + (bytes[8] ?? 0);
    return { header: bytes.subarray(0, headerBytes), data: bytes.subarray(headerBytes) };
  });
}

/** Of any length, so that data can be cut and joined under it. */
export function joinPes({ header, data }: Pes): Buffer {
  const open = Buffer.from(header);
  open.writeUInt16BE(0, 4);
  return Buffer.concat([open, data]);
}

export const withoutTimes: Buffer = Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]);

/** A stream's PES packets written anew, in front of the packets of all other PIDs but the tables. */
export function withPes(packets: TsPackets, pid: number, units: readonly Pes[]): Buffer[] {
  let counter = 0;
  const written = units.flatMap((unit) => {
    const made = packetize(pid, joinPes(unit), counter);
    counter += made.length;
    return made;
  });
  const tables = packets.filter(
    (packet) => pidOf(packet) === PIDS.pat || pidOf(packet) === PIDS.pmt,
  );
  const others = packets.filter((packet) => ![pid, PIDS.pat, PIDS.pmt].includes(pidOf(packet)));
  return [...tables, ...written, ...others];
}

/** Adds to the times of all PES packets from that packet on. */
export function shiftClock(packets: TsPackets, from: number, ticks: number): Buffer[] {
  return packets.map((packet, index) => {
    const at = payloadStart(packet);
    if (index < from || !startsUnit(packet) || packet.readUIntBE(at, 3) !== 1) return packet;
    const shifted = Buffer.from(packet);
    const flags = (packet[at + 7] ?? 0) >> 6;
    if (flags & 2) writeTime(shifted, at + 9, readTime(packet, at + 9) + ticks);
    if (flags === 3) writeTime(shifted, at + 14, readTime(packet, at + 14) + ticks);
    return shifted;
  });
}

const readTime = (packet: Buffer, at: number): number =>
  (((packet[at] ?? 0) >> 1) & 7) * 2 ** 30 +
  (packet.readUInt16BE(at + 1) >> 1) * 2 ** 15 +
  (packet.readUInt16BE(at + 3) >> 1);

function writeTime(packet: Buffer, at: number, ticks: number): void {
  const value = (ticks + 2 ** 33) % 2 ** 33;
  packet[at] = ((packet[at] ?? 0) & 0xf1) | (Math.floor(value / 2 ** 30) << 1);
  packet.writeUInt16BE(((Math.floor(value / 2 ** 15) & 0x7fff) << 1) | 1, at + 1);
  packet.writeUInt16BE(((value % 2 ** 15) << 1) | 1, at + 3);
}
