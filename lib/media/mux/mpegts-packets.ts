/** Packets of transport streams, to be written (ISO/IEC 13818-1, 2.4.3). */

import { PTS_WRAP_TICKS } from '../../domain/ticks.ts';
import { SYNC_BYTE, TS_PACKET_BYTES } from '../demux/mpegts-packets.ts';

const ROOM_BYTES = TS_PACKET_BYTES - 4;
const STARTS_UNIT = 0x4000;
const NOTHING = new Uint8Array();

/**
 * A PES packet, in so many packets as it takes. `adaptation`: flags and fields of the first one's adaptation
 * field; stuffing in it fills the last packet (2.4.3.5).
 */
export function writePackets(
  pid: number,
  unit: Buffer,
  firstCounter: number,
  adaptation: Uint8Array = NOTHING,
): Buffer {
  const ownBytes = adaptation.length > 0 ? 1 + adaptation.length : 0;
  const count = Math.ceil((ownBytes + unit.length) / ROOM_BYTES);
  const packets = Buffer.alloc(count * TS_PACKET_BYTES, 0xff);
  let from = 0;
  for (let index = 0; index < count; index += 1) {
    const at = index * TS_PACKET_BYTES;
    const leastBytes = index === 0 ? ownBytes : 0;
    const fieldBytes = Math.max(leastBytes, ROOM_BYTES - (unit.length - from));
    const to = from + ROOM_BYTES - fieldBytes;
    packets[at] = SYNC_BYTE;
    packets.writeUInt16BE((index === 0 ? STARTS_UNIT : 0) | pid, at + 1);
    packets[at + 3] = (fieldBytes > 0 ? 0x30 : 0x10) | ((firstCounter + index) & 0x0f);
    if (fieldBytes > 0) packets[at + 4] = fieldBytes - 1;
    if (fieldBytes > 1) packets[at + 5] = 0;
    if (leastBytes > 0) packets.set(adaptation, at + 5);
    unit.copy(packets, at + 4 + fieldBytes, from, to);
    from = to;
  }
  return packets;
}

/** A section of a table, from the start of a packet (2.4.4.1). */
export const writeSectionPackets = (pid: number, section: Buffer): Buffer =>
  writePackets(pid, Buffer.concat([Buffer.of(0), section]), 0);

/** A time of a PES header, modulo 2^33; `mark` says which (2.4.3.6). */
export function timestampField(mark: number, ticks: number): number[] {
  const value = wrapped(ticks);
  const high = Math.floor(value / 2 ** 15);
  const middle = high & 0x7fff;
  const low = value % 2 ** 15;
  const top = Math.floor(high / 2 ** 15);
  return [
    (mark << 4) | (top << 1) | 1,
    ...[middle >> 7, ((middle & 0x7f) << 1) | 1],
    ...[low >> 7, ((low & 0x7f) << 1) | 1],
  ];
}

/** The clock in an adaptation field, modulo 2^33 ticks (2.4.3.5). */
export function clockField(ticks: number): Uint8Array {
  const base = wrapped(ticks);
  const field = Buffer.alloc(6);
  field.writeUInt32BE(Math.floor(base / 2), 0);
  field.writeUInt16BE(((base % 2) << 15) | 0x7e00, 4);
  return field;
}

const wrapped = (ticks: number): number =>
  ((Math.round(ticks) % PTS_WRAP_TICKS) + PTS_WRAP_TICKS) % PTS_WRAP_TICKS;
