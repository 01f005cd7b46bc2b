/** Program tables of MPEG transport streams (ISO/IEC 13818-1, 2.4.4): read from sections, and written. */

import { type PacketIndex, visitPackets } from './mpegts-packets.ts';

const PAT_PID = 0;
const PAT_TABLE = 0;
const PMT_TABLE = 2;
const LANGUAGE_DESCRIPTOR = 0x0a;
const VISUAL_IMPAIRED_COMMENTARY = 0x03;
const REGISTRATION_DESCRIPTOR = 0x05;
const NO_CLOCK_PID = 0x1fff;
const SECTION_HEADER_BYTES = 3;
const TABLE_HEADER_BYTES = 8;
const CRC_BYTES = 4;
/** `section_length` of PAT and PMT (2.4.4.4, 2.4.4.9). */
const MAX_SECTION_LENGTH = 1021;
const STUFFING = 0xff;
/** More programs than a multiplex carries. */
const MAX_PROGRAMS = 256;

export type ElementaryStream = Readonly<{
  pid: number;
  /** `stream_type`, Table 2-34. */
  streamType: number;
  /** Tag → contents. */
  descriptors: ReadonlyMap<number, Uint8Array>;
  /** ISO 639-2; empty if the stream does not say. */
  language: string;
  /** Commentary for those who do not see the picture, by `audio_type` (2.6.19). */
  describesVideo: boolean;
  /** Four letters of the registration descriptor; empty if there is none. */
  registration: string;
}>;

export type Program = Readonly<{
  number: number;
  /** Of all versions of its map, in order; undefined when the segment has no map of it. */
  streams: readonly ElementaryStream[] | undefined;
}>;

/** In the order of the program association table; empty without one. */
export function readPrograms(index: PacketIndex): Program[] {
  const mapPids = new Map<number, number>();
  for (const section of sectionsOn(index, PAT_PID, PAT_TABLE)) {
    for (let at = TABLE_HEADER_BYTES; at + 4 <= section.length; at += 4) {
      const number = section.readUInt16BE(at);
      const isNew = number !== 0 && !mapPids.has(number) && mapPids.size < MAX_PROGRAMS;
      if (isNew) mapPids.set(number, section.readUInt16BE(at + 2) & 0x1fff);
    }
  }
  const maps = new Map(
    [...new Set(mapPids.values())].map((pid) => [pid, [...sectionsOn(index, pid, PMT_TABLE)]]),
  );
  return [...mapPids].map(([number, pid]) => {
    const sections = maps.get(pid)?.filter((section) => section.readUInt16BE(3) === number) ?? [];
    const streams = new Map<number, ElementaryStream>();
    for (const stream of sections.flatMap(parseProgramMap)) {
      if (!streams.has(stream.pid)) streams.set(stream.pid, stream);
    }
    return { number, streams: sections.length > 0 ? [...streams.values()] : undefined };
  });
}

/** Whole and current sections of a table, without their CRC. Repetitions are left out. */
function* sectionsOn(index: PacketIndex, pid: number, tableId: number): Generator<Buffer> {
  const seen = new Set<string>();
  for (const section of assembleSections(index, index.offsets.get(pid) ?? [])) {
    const isCurrent = ((section[5] ?? 0) & 1) === 1;
    if (section[0] !== tableId || !isCurrent || section.length < TABLE_HEADER_BYTES + CRC_BYTES) {
      continue;
    }
    const text = section.toString('latin1');
    if (seen.has(text) || seen.size >= MAX_PROGRAMS || crc32(section) !== 0) continue;
    seen.add(text);
    yield section.subarray(0, -CRC_BYTES);
  }
}

/**
 * Sections may begin anywhere in a packet and go on over several (2.4.4.1). One that lacks a packet is
 * given up: tables are repeated.
 */
function assembleSections(index: PacketIndex, offsets: readonly number[]): Buffer[] {
  const sections: Buffer[] = [];
  let open: Buffer = Buffer.alloc(0);
  visitPackets(index, offsets, ({ startsUnit, payloadStart, payloadEnd, lostBefore }) => {
    const payload = index.bytes.subarray(payloadStart, payloadEnd);
    if (lostBefore > 0) open = Buffer.alloc(0);
    const pointer = startsUnit ? 1 + (payload[0] ?? 0) : payload.length;
    if (open.length > 0) {
      const rest = payload.subarray(startsUnit ? 1 : 0, pointer);
      open = takeSections(Buffer.concat([open, rest]), sections);
    }
    if (startsUnit) open = takeSections(payload.subarray(pointer), sections);
  });
  return sections;
}

/** Adds the whole sections, and returns the beginning of the next. */
function takeSections(bytes: Buffer, sections: Buffer[]): Buffer {
  let at = 0;
  while (at < bytes.length && bytes[at] !== STUFFING) {
    if (at + SECTION_HEADER_BYTES > bytes.length) return bytes.subarray(at);
    const length = bytes.readUInt16BE(at + 1) & 0x0fff;
    const end = at + SECTION_HEADER_BYTES + length;
    if (end > bytes.length) return bytes.subarray(at);
    if (length <= MAX_SECTION_LENGTH) sections.push(bytes.subarray(at, end));
    at = end;
  }
  return bytes.subarray(bytes.length);
}

function parseProgramMap(section: Buffer): ElementaryStream[] {
  const streams: ElementaryStream[] = [];
  if (section.length < 12) return streams;
  for (let at = 12 + lengthAt(section, 10); at + 5 <= section.length; ) {
    const end = at + 5 + lengthAt(section, at + 3);
    const descriptors = parseDescriptors(section.subarray(at + 5, end));
    streams.push({
      pid: section.readUInt16BE(at + 1) & 0x1fff,
      streamType: section[at] ?? 0,
      descriptors,
      language: latin1(descriptors.get(LANGUAGE_DESCRIPTOR)?.subarray(0, 3)),
      describesVideo: descriptors.get(LANGUAGE_DESCRIPTOR)?.[3] === VISUAL_IMPAIRED_COMMENTARY,
      registration: latin1(descriptors.get(REGISTRATION_DESCRIPTOR)?.subarray(0, 4)),
    });
    at = end;
  }
  return streams;
}

/** 12 bits. */
const lengthAt = (section: Buffer, at: number): number => section.readUInt16BE(at) & 0x0fff;

function parseDescriptors(bytes: Uint8Array): Map<number, Uint8Array> {
  const descriptors = new Map<number, Uint8Array>();
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0);
    const tag = bytes[at] ?? 0;
    if (!descriptors.has(tag)) descriptors.set(tag, bytes.subarray(at + 2, end));
    at = end;
  }
  return descriptors;
}

const latin1 = (bytes: Uint8Array | undefined): string =>
  bytes ? Buffer.from(bytes).toString('latin1') : '';

/** As in the program map. */
export type WrittenStream = Pick<ElementaryStream, 'pid' | 'streamType'> &
  Partial<Pick<ElementaryStream, 'language'>>;

/** The sections of PAT and PMT, of one program. `clockStream`: index of the stream that has its clock. */
export function writeTables(
  mapPid: number,
  streams: readonly WrittenStream[],
  clockStream = 0,
): Readonly<{ pat: Buffer; pmt: Buffer }> {
  const clockPid = streams[clockStream]?.pid ?? NO_CLOCK_PID;
  const entries = streams.flatMap(({ pid, streamType, language = '' }) => {
    const descriptors = languageDescriptor(language);
    return [streamType, ...pidBytes(pid), 0xf0, descriptors.length, ...descriptors];
  });
  return {
    pat: writeSection(PAT_TABLE, [0, 1, ...pidBytes(mapPid)]),
    pmt: writeSection(PMT_TABLE, [...pidBytes(clockPid), 0xf0, 0, ...entries]),
  };
}

const pidBytes = (pid: number): number[] => [0xe0 | (pid >> 8), pid & 0xff];

/** Of sound of no special type (2.6.18). */
const languageDescriptor = (code: string): number[] =>
  /^[a-z]{3}$/.test(code) && code !== 'und'
    ? [LANGUAGE_DESCRIPTOR, 4, ...Buffer.from(code), 0]
    : [];

/** Program 1, version 0, current, the only section of its table. */
function writeSection(tableId: number, body: readonly number[]): Buffer {
  const length = 5 + body.length + CRC_BYTES;
  const header = [tableId, 0xb0 | (length >> 8), length & 0xff, 0, 1, 0xc1, 0, 0];
  const section = Buffer.from([...header, ...body, 0, 0, 0, 0]);
  const end = section.length - CRC_BYTES;
  section.writeUInt32BE(crc32(section.subarray(0, end)), end);
  return section;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/** Of sections (Annex A); 0 over a section with its own CRC behind it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc << 8) ^ (CRC_TABLE[((crc >>> 24) ^ byte) & 0xff] ?? 0);
  return crc >>> 0;
}
