/** PES packets (ISO/IEC 13818-1, 2.4.3.6): the packets of one PID become the data of its elementary stream. */

import { unwrapOffset } from '../../domain/ticks.ts';
import { type PacketIndex, TS_PACKET_BYTES, visitPackets } from './mpegts-packets.ts';

export type PesPacket = Readonly<{
  /** Where its data begins in that of the stream. */
  start: number;
  /** Unwrapped: goes on counting over the 33-bit wrap inside a segment. Absent when the packet has none. */
  ptsTicks?: number;
  randomAccess: boolean;
}>;

export type PesStream = Readonly<{
  /** Elementary stream data of all PES packets, one behind the other. */
  data: Buffer;
  packets: readonly PesPacket[];
  /** Offsets in `data` in front of which bytes are missing, ascending. */
  holes: readonly number[];
  /** TS packets that are missing by their counters or damaged. */
  lostPackets: number;
}>;

export type PesOptions = Readonly<{
  unwrap: Unwrap;
  /** Otherwise a damaged packet leaves a hole, like one that is missing. */
  keepsDamaged: boolean;
  /** What goes on from the segment before is read as well, as a packet without time. */
  keepsHead: boolean;
}>;

/** Makes the times of all streams of a segment go on over the wrap: near the first that it was given. */
export type Unwrap = (ticks: number) => number;

export function makeUnwrap(): Unwrap {
  let first: number | undefined;
  return (ticks) => {
    first ??= ticks;
    return ticks + unwrapOffset(ticks, first);
  };
}

type OpenPes = Readonly<{
  start: number;
  randomAccess: boolean;
  holes: number[];
  isHead: boolean;
}>;

/** Leaves out scrambled packets, and PES packets whose header is damaged. */
export function readPes(
  index: PacketIndex,
  offsets: readonly number[],
  { unwrap, keepsDamaged, keepsHead }: PesOptions,
): PesStream {
  const data = Buffer.allocUnsafe(offsets.length * TS_PACKET_BYTES);
  const packets: PesPacket[] = [];
  const holes: number[] = [];
  let lostPackets = 0;
  let end = 0;
  let isTorn = false;
  let open: OpenPes | undefined = keepsHead
    ? { start: 0, randomAccess: false, holes: [], isHead: true }
    : undefined;
  const close = (): void => {
    if (!open || end === open.start) return;
    const { start, randomAccess, isHead } = open;
    const header = isHead ? NO_HEADER : parsePesHeader(data.subarray(start, end));
    if (!header || open.holes.some((hole) => hole - start < header.bytes)) {
      end = start;
      isTorn = true;
      return;
    }
    const { bytes, declaredBytes, ptsTicks } = header;
    // Behind a hole the length is no measure: the start of another packet may be what is missing.
    const isMeasured = declaredBytes !== undefined && open.holes.length === 0;
    const bodyEnd = isMeasured ? Math.min(end, start + declaredBytes) : end;
    data.copyWithin(start, start + bytes, bodyEnd);
    end = Math.max(start, bodyEnd - bytes);
    for (const hole of open.holes) holes.push(hole - bytes);
    packets.push({
      start,
      randomAccess,
      ...(ptsTicks === undefined ? {} : { ptsTicks: unwrap(ptsTicks) }),
    });
  };
  visitPackets(index, offsets, (packet) => {
    const isDamaged = index.damaged.has(packet.at);
    lostPackets += packet.lostBefore + (isDamaged ? 1 : 0);
    isTorn ||= packet.lostBefore > 0;
    if (packet.isScrambled || (isDamaged && !keepsDamaged)) {
      isTorn = true;
      return;
    }
    if (packet.startsUnit) {
      close();
      open = { start: end, randomAccess: packet.randomAccess, holes: [], isHead: false };
      if (isTorn) holes.push(end);
    } else if (isTorn) open?.holes.push(end);
    isTorn = false;
    if (!open) return;
    index.bytes.copy(data, end, packet.payloadStart, packet.payloadEnd);
    end += packet.payloadEnd - packet.payloadStart;
  });
  close();
  return { data: data.subarray(0, end), packets, holes, lostPackets };
}

const FIXED_HEADER_BYTES = 9;
const PTS_BYTES = 5;
/** `stream_id` of packets that have no further header and no media: maps, padding, commands. */
const WITHOUT_MEDIA: ReadonlySet<number> = new Set([
  0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff,
]);

type PesHeader = Readonly<{
  bytes: number;
  /** Header included; undefined where the packet does not say, as those of video may. */
  declaredBytes?: number | undefined;
  /** 33 bits. */
  ptsTicks?: number | undefined;
}>;

const NO_HEADER: PesHeader = { bytes: 0 };

/** undefined if it is none, or not whole. */
function parsePesHeader(pes: Buffer): PesHeader | undefined {
  if (pes.length < FIXED_HEADER_BYTES || pes.readUIntBE(0, 3) !== 1) return undefined;
  const [, , , streamId = 0, , , , flags = 0, headerBytes = 0] = pes;
  const bytes = FIXED_HEADER_BYTES + headerBytes;
  if (WITHOUT_MEDIA.has(streamId) || bytes > pes.length) return undefined;
  const declaredBytes = pes.readUInt16BE(4);
  return {
    bytes,
    declaredBytes: declaredBytes > 0 ? 6 + declaredBytes : undefined,
    ptsTicks: flags & 0x80 && headerBytes >= PTS_BYTES ? parseTimestamp(pes) : undefined,
  };
}

/** In five bytes behind the fixed header, with marker bits between. */
const parseTimestamp = (pes: Buffer): number =>
  (((pes[9] ?? 0) >> 1) & 0x07) * 2 ** 30 +
  (((pes[10] ?? 0) << 22) |
    (((pes[11] ?? 0) >> 1) << 15) |
    ((pes[12] ?? 0) << 7) |
    ((pes[13] ?? 0) >> 1));
