/** Packets of MPEG transport streams (ISO/IEC 13818-1, 2.4.3): found, however they are framed or damaged. */

export const TS_PACKET_BYTES = 188;
export const SYNC_BYTE = 0x47;

/** Distances of sync bytes: plain, behind a time stamp (M2TS), and with parity behind (DVB). */
const STRIDES = [TS_PACKET_BYTES, 192, 204] as const;

/** Sync bytes in a row that make a transport stream; fewer only where the body ends. */
const SYNC_RUN = 5;
const RESYNC_RUN = 3;
/** Stray bytes in front of a stream. */
const MAX_LEAD_BYTES = 4096;

export type TsPacket = Readonly<{
  at: number;
  /** The payload begins with a PES packet, or with the pointer to a section. */
  startsUnit: boolean;
  randomAccess: boolean;
  isScrambled: boolean;
  /** `continuity_counter`. */
  counter: number;
  /** How many packets are missing in front by the counter, modulo 16. */
  lostBefore: number;
  payloadStart: number;
  payloadEnd: number;
}>;

export type PacketIndex = Readonly<{
  bytes: Buffer;
  /** By PID, where its packets begin; damaged ones among them. */
  offsets: ReadonlyMap<number, readonly number[]>;
  /** Packets with a wrong sync byte, or marked by a receiver (`transport_error_indicator`). */
  damaged: ReadonlySet<number>;
  /** That belong to no packet. */
  strayBytes: number;
}>;

export const isTransportStream = (bytes: Uint8Array): boolean => findFraming(bytes) !== undefined;

type Framing = Readonly<{ stride: number; firstSync: number }>;

function findFraming(bytes: Uint8Array): Framing | undefined {
  const last = Math.min(bytes.length - TS_PACKET_BYTES, MAX_LEAD_BYTES);
  for (let at = 0; at <= last; at += 1) {
    const stride = STRIDES.find((it) => bytes[at] === SYNC_BYTE && isFramed(bytes, at, it));
    // What is in front of the run may be packets as well, one of which is damaged.
    if (stride) return { stride, firstSync: at % stride };
  }
  return undefined;
}

function isFramed(bytes: Uint8Array, at: number, stride: number): boolean {
  if (bytes.length >= at + SYNC_RUN * stride) return hasSyncRun(bytes, at, stride, SYNC_RUN);
  // A short body has to be packets from its first byte on: other formats have a G somewhere, too.
  const isWhole = bytes.length === TS_PACKET_BYTES || bytes.length > at + stride;
  return at === (stride === 192 ? 4 : 0) && isWhole && hasSyncRun(bytes, at, stride, SYNC_RUN);
}

function hasSyncRun(bytes: Uint8Array, start: number, stride: number, count: number): boolean {
  for (let index = 0; index < count; index += 1) {
    const at = start + index * stride;
    if (at >= bytes.length) return true;
    if (bytes[at] !== SYNC_BYTE) return false;
  }
  return true;
}

/** One pass over all packets; where the sync byte is missing, it goes on where several follow again. */
export function indexPackets(source: Uint8Array): PacketIndex {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const offsets = new Map<number, number[]>();
  const damaged = new Set<number>();
  const { stride, firstSync } = findFraming(bytes) ?? { stride: TS_PACKET_BYTES, firstSync: 0 };
  let packets = 0;
  let latest = -1;
  let latestPid = -1;
  let own: number[] = [];
  for (let at = firstSync; at + TS_PACKET_BYTES <= bytes.length; ) {
    const inSync = bytes[at] === SYNC_BYTE;
    if (!inSync && !hasSyncRun(bytes, at + stride, stride, RESYNC_RUN - 1)) {
      const next = findSync(bytes, Math.max(latest + 4, at - stride + 4, 0), stride);
      // The packet before ended too early: it lacks bytes.
      if (latest >= 0 && next < latest + TS_PACKET_BYTES) {
        offsets.get(pidAt(bytes, latest))?.pop();
        damaged.delete(latest);
        packets -= 1;
        latest = -1;
      }
      at = next;
      continue;
    }
    const pid = pidAt(bytes, at);
    if (pid !== latestPid) {
      own = offsets.get(pid) ?? [];
      offsets.set(pid, own);
      latestPid = pid;
    }
    own.push(at);
    if (!inSync || ((bytes[at + 1] ?? 0) & 0x80) !== 0) damaged.add(at);
    packets += 1;
    latest = at;
    at += stride;
  }
  return { bytes, offsets, damaged, strayBytes: Math.max(0, bytes.length - packets * stride) };
}

function findSync(bytes: Buffer, from: number, stride: number): number {
  for (let at = bytes.indexOf(SYNC_BYTE, from); at >= 0; at = bytes.indexOf(SYNC_BYTE, at + 1)) {
    if (hasSyncRun(bytes, at, stride, RESYNC_RUN)) return at;
  }
  return bytes.length;
}

const pidAt = (bytes: Uint8Array, at: number): number =>
  (((bytes[at + 1] ?? 0) & 0x1f) << 8) | (bytes[at + 2] ?? 0);

/** `transport_scrambling_control` of the packet at `at`. */
export const isScrambled = (bytes: Uint8Array, at: number): boolean =>
  ((bytes[at + 3] ?? 0) & 0xc0) !== 0;

/**
 * The packets of one PID that have a payload (2.4.3.2 to 2.4.3.5). Those that came twice are left out
 * (2.4.3.3). A counter that does not count is broken itself, and says nothing.
 */
export function visitPackets(
  { bytes }: PacketIndex,
  offsets: readonly number[],
  visit: (packet: TsPacket) => void,
): void {
  const trusted = countsOn(bytes, offsets);
  let before: TsPacket | undefined;
  for (const at of offsets) {
    const control = bytes[at + 3] ?? 0;
    const adaptationBytes = control & 0x20 ? 1 + (bytes[at + 4] ?? 0) : 0;
    const payloadStart = at + 4 + adaptationBytes;
    const payloadEnd = at + TS_PACKET_BYTES;
    if (!(control & 0x10) || payloadStart >= payloadEnd) continue;
    const adaptationFlags = adaptationBytes > 1 ? (bytes[at + 5] ?? 0) : 0;
    const counter = control & 0x0f;
    const isCounted = trusted && before !== undefined && (adaptationFlags & 0x80) === 0;
    const packet = {
      at,
      startsUnit: ((bytes[at + 1] ?? 0) & 0x40) !== 0,
      randomAccess: (adaptationFlags & 0x40) !== 0,
      isScrambled: (control & 0xc0) !== 0,
      counter,
      lostBefore: isCounted && before ? (counter - before.counter - 1) & 0x0f : 0,
      payloadStart,
      payloadEnd,
    };
    if (trusted && before?.counter === counter && isRepeated(bytes, before, packet)) continue;
    visit(packet);
    before = packet;
  }
}

function isRepeated(bytes: Buffer, a: TsPacket, b: TsPacket): boolean {
  return bytes.compare(bytes, a.payloadStart, a.payloadEnd, b.payloadStart, b.payloadEnd) === 0;
}

/** Whether the counter goes on as it should at a third of the packets at least: all may come twice. */
function countsOn(bytes: Buffer, offsets: readonly number[]): boolean {
  let steps = 0;
  let right = 0;
  let before: number | undefined;
  for (const at of offsets) {
    const control = bytes[at + 3] ?? 0;
    if (!(control & 0x10)) continue;
    const counter = control & 0x0f;
    if (before !== undefined) {
      steps += 1;
      if (counter === ((before + 1) & 0x0f)) right += 1;
    }
    before = counter;
  }
  return right * 3 >= steps;
}
