/**
 * Puts right what mediabunny's transport streams lack (ISO/IEC 13818-1): languages of audio, a clock
 * (PCR), and decode times that are never after the presentation where frames are reordered.
 */

import { PTS_WRAP_TICKS } from '../../domain/ticks.ts';
import { timestampField } from '../demux/mpegts-decoder-input.ts';
import { SYNC_BYTE, TS_PACKET_BYTES } from '../demux/mpegts-packets.ts';
import { crc32 } from '../demux/mpegts-tables.ts';

const LANGUAGE_DESCRIPTOR = 0x0a;
const CRC_BYTES = 4;
/** `payload_unit_start_indicator`. */
const STARTS_UNIT = 0x40;
const VIDEO_TYPES: ReadonlySet<number> = new Set([0x1b, 0x24]);
const AUDIO_TYPES: ReadonlySet<number> = new Set([0x03, 0x04, 0x0f, 0x11, 0x81, 0x87]);

/** How long before it is decoded a frame has come, by the clock; and how often that is told at most. */
const CLOCK_LEAD_TICKS = 45_000;
const CLOCK_INTERVAL_TICKS = 3600;

/**
 * `codes`: ISO 639-2 of the audio streams, in the order of the program map. The tables are as mediabunny
 * writes them: in front, one program, each table whole in one packet with room behind it; each video
 * frame has both times.
 */
export function finishMpegTs(bytes: Uint8Array, codes: readonly string[]): Uint8Array {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const map = data.subarray(TS_PACKET_BYTES, 2 * TS_PACKET_BYTES);
  const { clockPid, hasVideo } = finishMap(map, sectionAt(map), codes);
  const units = unitsOf(data, clockPid);
  if (hasVideo) lowerDecodeTimes(data, units);
  const parts: Uint8Array[] = [];
  let copied = 0;
  let toldTicks: number | undefined;
  for (const { at, pesAt } of units) {
    const ticks = readTicks(data, pesAt + (hasVideo ? DTS_AT : PTS_AT));
    const sinceTicks = toldTicks === undefined ? CLOCK_INTERVAL_TICKS : distance(toldTicks, ticks);
    if (sinceTicks < CLOCK_INTERVAL_TICKS) continue;
    parts.push(data.subarray(copied, at), clockPacket(data, at, ticks));
    [copied, toldTicks] = [at, ticks];
  }
  return Buffer.concat([...parts, data.subarray(copied)]);
}

type Unit = Readonly<{
  /** Of the packet in which it begins, and of itself. */
  at: number;
  pesAt: number;
}>;

function unitsOf(data: Buffer, pid: number): Unit[] {
  const units: Unit[] = [];
  for (let at = 2 * TS_PACKET_BYTES; at < data.length; at += TS_PACKET_BYTES) {
    const header = data[at + 1] ?? 0;
    const own = ((header & 0x1f) << 8) | (data[at + 2] ?? 0);
    if (header & STARTS_UNIT && own === pid) units.push({ at, pesAt: payloadAt(data, at) });
  }
  return units;
}

/** Behind the adaptation field. */
const payloadAt = (data: Buffer, at: number): number =>
  at + 4 + ((data[at + 3] ?? 0) & 0x20 ? 1 + (data[at + 4] ?? 0) : 0);

/** Behind the pointer. */
function sectionAt(packet: Buffer): number {
  const payload = payloadAt(packet, 0);
  return payload + 1 + (packet[payload] ?? 0);
}

function finishMap(packet: Buffer, start: number, codes: readonly string[]) {
  const length = packet.readUInt16BE(start + 1) & 0x0fff;
  const section = packet.subarray(start, start + 3 + length - CRC_BYTES);
  const streamsAt = 12 + (section.readUInt16BE(10) & 0x0fff);
  const parts: Uint8Array[] = [section.subarray(0, streamsAt)];
  const left = [...codes];
  const pids = { video: [] as number[], other: [] as number[] };
  for (let at = streamsAt; at + 5 <= section.length; ) {
    const type = section[at] ?? 0;
    const infoLength = section.readUInt16BE(at + 3) & 0x0fff;
    const stream = Buffer.from(section.subarray(at, at + 5 + infoLength));
    const named = AUDIO_TYPES.has(type) ? languageDescriptor(left.shift()) : [];
    stream.writeUInt16BE(0xf000 | (infoLength + named.length), 3);
    parts.push(stream, Uint8Array.from(named));
    pids[VIDEO_TYPES.has(type) ? 'video' : 'other'].push(section.readUInt16BE(at + 1) & 0x1fff);
    at += 5 + infoLength;
  }
  const [clockPid = 0x1fff] = [...pids.video, ...pids.other];
  const map = Buffer.concat([...parts, Buffer.alloc(CRC_BYTES)]);
  map.writeUInt16BE(0xb000 | (map.length - 3), 1);
  map.writeUInt16BE(0xe000 | clockPid, 8);
  map.writeUInt32BE(crc32(map.subarray(0, -CRC_BYTES)), map.length - CRC_BYTES);
  if (start + map.length > packet.length) throw new Error('The program map does not fit a packet.');
  map.copy(packet, start);
  return { clockPid, hasVideo: pids.video.length > 0 };
}

/** Of an audio stream of no special type (2.6.18). */
const languageDescriptor = (code = 'und'): number[] =>
  code === 'und' ? [] : [LANGUAGE_DESCRIPTOR, 4, ...Buffer.from(code), 0];

/** In a PES header (2.4.3.6). */
const PTS_AT = 9;
const DTS_AT = 14;

const readTicks = (data: Buffer, at: number): number =>
  (((data[at] ?? 0) >> 1) & 7) * 2 ** 30 +
  (data.readUInt16BE(at + 1) >> 1) * 2 ** 15 +
  (data.readUInt16BE(at + 3) >> 1);

/** From `a` to `b` on a clock of 33 bits. */
const distance = (a: number, b: number): number => {
  const ticks = (b - a) % PTS_WRAP_TICKS;
  return ticks - PTS_WRAP_TICKS * Math.round(ticks / PTS_WRAP_TICKS);
};

/** All by the same: that by which the latest is after its presentation. */
function lowerDecodeTimes(data: Buffer, units: readonly Unit[]): void {
  const delay = units.reduce((most, { pesAt }) => {
    const late = distance(readTicks(data, pesAt + PTS_AT), readTicks(data, pesAt + DTS_AT));
    return Math.max(most, late);
  }, 0);
  if (delay === 0) return;
  for (const { pesAt } of units) {
    data.set(timestampField(1, readTicks(data, pesAt + DTS_AT) - delay), pesAt + DTS_AT);
  }
}

/** Without a payload, so that the counter stays (2.4.3.3). `at`: of the packet that follows. */
function clockPacket(data: Buffer, at: number, ticks: number): Uint8Array {
  const packet = Buffer.alloc(TS_PACKET_BYTES, 0xff);
  const base = (ticks - CLOCK_LEAD_TICKS + PTS_WRAP_TICKS) % PTS_WRAP_TICKS;
  const counter = ((data[at + 3] ?? 0) - 1) & 0x0f;
  packet[0] = SYNC_BYTE;
  packet.writeUInt16BE(data.readUInt16BE(at + 1) & 0x1fff, 1);
  packet[3] = 0x20 | counter;
  packet[4] = TS_PACKET_BYTES - 5;
  packet[5] = 0x10;
  packet.writeUInt32BE(Math.floor(base / 2), 6);
  packet.writeUInt16BE(((base % 2) << 15) | 0x7e00, 10);
  return packet;
}
