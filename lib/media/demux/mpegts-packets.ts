/** MPEG transport streams (ISO/IEC 13818-1): from packets to the PES packets of each stream. */

import { DomainError } from '../../domain/errors.ts';
import { unwrapOffset } from '../../domain/ticks.ts';
import { truncated } from './demuxed-segment.ts';

export const TS_PACKET_BYTES = 188;
const SYNC_BYTE = 0x47;
const PAT_PID = 0;
const LANGUAGE_DESCRIPTOR = 0x0a;
const REGISTRATION_DESCRIPTOR = 0x05;

export type ElementaryStream = Readonly<{
  pid: number;
  /** `stream_type`, Table 2-34. */
  streamType: number;
  /** Tag → contents. */
  descriptors: ReadonlyMap<number, Uint8Array>;
  /** ISO 639-2; empty if the stream does not say. */
  language: string;
  /** Four letters of the registration descriptor; empty if there is none. */
  registration: string;
}>;

export type PesPacket = Readonly<{
  /** Unwrapped: goes on counting over the 33-bit wrap inside a segment. Absent when the packet has none. */
  ptsTicks?: number;
  randomAccess: boolean;
  /** Elementary stream data. */
  payload: Uint8Array;
}>;

export type TransportStream = Readonly<{
  streams: readonly ElementaryStream[];
  pesPackets: ReadonlyMap<number, readonly PesPacket[]>;
}>;

type OpenPes = { randomAccess: boolean; pieces: Uint8Array[]; sizeBytes: number };

/** By the sync bytes of the first two packets. */
export const isTransportStream = (bytes: Uint8Array): boolean =>
  bytes[0] === SYNC_BYTE &&
  (bytes.byteLength <= TS_PACKET_BYTES || bytes[TS_PACKET_BYTES] === SYNC_BYTE);

/** Throws DomainError: `unsupported_media`, `truncated_segment`. */
export function parseTransportStream(bytes: Uint8Array): TransportStream {
  if (bytes.byteLength % TS_PACKET_BYTES !== 0) {
    throw truncated(
      `The transport stream has ${bytes.byteLength} bytes, ${bytes.byteLength % TS_PACKET_BYTES} more than whole packets of ${TS_PACKET_BYTES}.`,
    );
  }
  let pmtPid = -1;
  let streams: ElementaryStream[] = [];
  let firstTicks: number | undefined;
  const unwrap = (ticks: number): number => {
    firstTicks ??= ticks;
    return ticks + unwrapOffset(ticks, firstTicks);
  };
  const open = new Map<number, OpenPes>();
  const pesPackets = new Map<number, PesPacket[]>();
  const close = (pid: number): void => {
    const pes = open.get(pid);
    open.delete(pid);
    const parsed = pes && parsePes(pes, unwrap, pid);
    if (parsed) pesPackets.get(pid)?.push(parsed);
  };
  for (let offset = 0; offset < bytes.byteLength; offset += TS_PACKET_BYTES) {
    if (bytes[offset] !== SYNC_BYTE) throw truncated(`Packet sync is lost at byte ${offset}.`);
    const { pid, startsUnit, randomAccess, scrambled, payload } = parseTsPacket(bytes, offset);
    if (pid === PAT_PID && pmtPid < 0 && startsUnit) pmtPid = parsePat(payload) ?? pmtPid;
    else if (pid === pmtPid && streams.length === 0 && startsUnit) {
      streams = parsePmt(payload);
      for (const stream of streams) pesPackets.set(stream.pid, []);
    } else if (pesPackets.has(pid)) {
      if (scrambled) throw encrypted();
      if (startsUnit) {
        close(pid);
        open.set(pid, { randomAccess, pieces: [payload], sizeBytes: payload.length });
      } else {
        // What comes before the first start is the rest of a packet of the segment before.
        const pes = open.get(pid);
        pes?.pieces.push(payload);
        if (pes) pes.sizeBytes += payload.length;
      }
    }
  }
  for (const pid of [...open.keys()]) close(pid);
  if (streams.length === 0) {
    throw new DomainError(
      'unsupported_media',
      'The transport stream has no program map.',
      'Begin every segment with PAT and PMT (ffmpeg: -f hls, or -mpegts_flags resend_headers).',
    );
  }
  return { streams, pesPackets };
}

const encrypted = (): DomainError =>
  new DomainError(
    'unsupported_media',
    'The transport stream is scrambled.',
    'Send segments that are not encrypted; HTTPS protects them on their way.',
  );

export function parseTsPacket(bytes: Uint8Array, offset: number) {
  const flags = bytes[offset + 1] ?? 0;
  const control = bytes[offset + 3] ?? 0;
  const end = offset + TS_PACKET_BYTES;
  const adaptationBytes = control & 0x20 ? 1 + (bytes[offset + 4] ?? 0) : 0;
  const payloadStart = control & 0x10 ? Math.min(offset + 4 + adaptationBytes, end) : end;
  return {
    pid: ((flags & 0x1f) << 8) | (bytes[offset + 2] ?? 0),
    startsUnit: (flags & 0x40) !== 0 && payloadStart < end,
    randomAccess: adaptationBytes > 1 && ((bytes[offset + 5] ?? 0) & 0x40) !== 0,
    scrambled: (control & 0xc0) !== 0,
    payload: bytes.subarray(payloadStart, end),
  };
}

/** The section behind the pointer field, without its CRC. */
function sectionOf(payload: Uint8Array): Uint8Array {
  const start = 1 + (payload[0] ?? 0);
  const length = (((payload[start + 1] ?? 0) & 0x0f) << 8) | (payload[start + 2] ?? 0);
  return payload.subarray(start, start + 3 + length - 4);
}

/** PID of the first program's map. */
function parsePat(payload: Uint8Array): number | undefined {
  const section = sectionOf(payload);
  for (let at = 8; at + 4 <= section.length; at += 4) {
    const program = ((section[at] ?? 0) << 8) | (section[at + 1] ?? 0);
    if (program !== 0) return (((section[at + 2] ?? 0) & 0x1f) << 8) | (section[at + 3] ?? 0);
  }
  return undefined;
}

function parsePmt(payload: Uint8Array): ElementaryStream[] {
  const section = sectionOf(payload);
  const streams: ElementaryStream[] = [];
  const programInfo = (((section[10] ?? 0) & 0x0f) << 8) | (section[11] ?? 0);
  for (let at = 12 + programInfo; at + 5 <= section.length; ) {
    const infoBytes = (((section[at + 3] ?? 0) & 0x0f) << 8) | (section[at + 4] ?? 0);
    const descriptors = parseDescriptors(section.subarray(at + 5, at + 5 + infoBytes));
    streams.push({
      pid: (((section[at + 1] ?? 0) & 0x1f) << 8) | (section[at + 2] ?? 0),
      streamType: section[at] ?? 0,
      descriptors,
      language: latin1(descriptors.get(LANGUAGE_DESCRIPTOR)?.subarray(0, 3)),
      registration: latin1(descriptors.get(REGISTRATION_DESCRIPTOR)?.subarray(0, 4)),
    });
    at += 5 + infoBytes;
  }
  return streams;
}

function parseDescriptors(bytes: Uint8Array): Map<number, Uint8Array> {
  const descriptors = new Map<number, Uint8Array>();
  for (let at = 0; at + 2 <= bytes.length; ) {
    const length = bytes[at + 1] ?? 0;
    descriptors.set(bytes[at] ?? 0, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return descriptors;
}

const latin1 = (bytes: Uint8Array | undefined): string =>
  bytes ? Buffer.from(bytes).toString('latin1') : '';

export const startsPes = (payload: Uint8Array): boolean =>
  payload[0] === 0 && payload[1] === 0 && payload[2] === 1;

function parsePes(
  { pieces, sizeBytes, randomAccess }: OpenPes,
  unwrap: (ticks: number) => number,
  pid: number,
): PesPacket | undefined {
  const bytes = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces, sizeBytes);
  if (bytes.length < 9 || !startsPes(bytes)) return undefined;
  const declaredBytes = ((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0);
  if (declaredBytes > 0 && bytes.length < 6 + declaredBytes) {
    throw truncated(
      `A packet of stream ${pid} (PES) has ${bytes.length - 6} of its ${declaredBytes} bytes.`,
    );
  }
  const end = declaredBytes > 0 ? 6 + declaredBytes : bytes.length;
  const hasPts = ((bytes[7] ?? 0) & 0x80) !== 0;
  return {
    ...(hasPts ? { ptsTicks: unwrap(parseTimestamp(bytes, 9)) } : {}),
    randomAccess,
    payload: bytes.subarray(9 + (bytes[8] ?? 0), end),
  };
}

/** 33 bits in five bytes with marker bits between (2.4.3.6). */
const parseTimestamp = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) >> 1) & 0x07) * 2 ** 30 +
  (((bytes[at + 1] ?? 0) << 22) |
    (((bytes[at + 2] ?? 0) >> 1) << 15) |
    ((bytes[at + 3] ?? 0) << 7) |
    ((bytes[at + 4] ?? 0) >> 1));
