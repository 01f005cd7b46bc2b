/** Names the languages of a transport stream's audio, which its muxer leaves out. */

import { TS_PACKET_BYTES } from '../demux/mpegts-packets.ts';
import { crc32 } from '../demux/mpegts-tables.ts';

const PAT_PID = 0;
const LANGUAGE_DESCRIPTOR = 0x0a;
const CRC_BYTES = 4;
/** `payload_unit_start_indicator`. */
const STARTS_UNIT = 0x40;
const AUDIO_TYPES: ReadonlySet<number> = new Set([0x03, 0x04, 0x0f, 0x11, 0x81, 0x87]);

/**
 * ISO 639 language descriptors (ISO/IEC 13818-1, 2.6.18) in each program map: changed in place. `codes`:
 * ISO 639-2 of the audio streams in the map's order. The tables are as mediabunny writes them: one
 * program, and each table whole in one packet, with room behind it.
 */
export function writeLanguages(bytes: Uint8Array, codes: readonly string[]): void {
  if (codes.every((code) => code === 'und')) return;
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let mapPid: number | undefined;
  for (let at = 0; at + TS_PACKET_BYTES <= data.length; at += TS_PACKET_BYTES) {
    // Most packets are of no table: nothing is made for them.
    const header = data[at + 1] ?? 0;
    const pid = ((header & 0x1f) << 8) | (data[at + 2] ?? 0);
    if (!(header & STARTS_UNIT) || (pid !== PAT_PID && pid !== mapPid)) continue;
    const packet = data.subarray(at, at + TS_PACKET_BYTES);
    if (pid === PAT_PID) mapPid = packet.readUInt16BE(sectionAt(packet) + 10) & 0x1fff;
    else nameInMap(packet, sectionAt(packet), codes);
  }
}

/** Behind the adaptation field and the pointer. */
function sectionAt(packet: Buffer): number {
  const hasField = ((packet[3] ?? 0) & 0x20) !== 0;
  const payload = 4 + (hasField ? 1 + (packet[4] ?? 0) : 0);
  return payload + 1 + (packet[payload] ?? 0);
}

function nameInMap(packet: Buffer, start: number, codes: readonly string[]): void {
  const length = packet.readUInt16BE(start + 1) & 0x0fff;
  const section = packet.subarray(start, start + 3 + length - CRC_BYTES);
  const streamsAt = 12 + (section.readUInt16BE(10) & 0x0fff);
  const parts: Uint8Array[] = [section.subarray(0, streamsAt)];
  const left = [...codes];
  for (let at = streamsAt; at + 5 <= section.length; ) {
    const infoLength = section.readUInt16BE(at + 3) & 0x0fff;
    const stream = Buffer.from(section.subarray(at, at + 5 + infoLength));
    const code = AUDIO_TYPES.has(section[at] ?? 0) ? left.shift() : undefined;
    const named = code === undefined || code === 'und' ? [] : descriptor(code);
    stream.writeUInt16BE(0xf000 | (infoLength + named.length), 3);
    parts.push(stream, Uint8Array.from(named));
    at += 5 + infoLength;
  }
  const map = Buffer.concat([...parts, Buffer.alloc(CRC_BYTES)]);
  map.writeUInt16BE(0xb000 | (map.length - 3), 1);
  map.writeUInt32BE(crc32(map.subarray(0, -CRC_BYTES)), map.length - CRC_BYTES);
  if (start + map.length > packet.length) throw new Error('The program map does not fit a packet.');
  map.copy(packet, start);
}

/** Of an audio stream of no special type. */
const descriptor = (code: string): number[] => [LANGUAGE_DESCRIPTOR, 4, ...Buffer.from(code), 0];
