/** What the NAL unit headers of H.264 and H.265 say of a frame (ITU-T H.264 and H.265, 7.3.1 and 7.4). */

export type NalCodec = 'avc' | 'hevc';

export type FrameHeader = Readonly<{
  /** Whether decoding can start here; `closed`: all that follows decodes without what came before. */
  entry: 'closed' | 'open' | 'none';
  /** RASL (H.265): refers to frames before the entry point that precedes it. */
  refersAcrossEntry: boolean;
  /** Parameter sets in front of the frame. */
  parameterSets: ReadonlySet<ParameterSet>;
}>;

export type ParameterSet = 'VPS' | 'SPS' | 'PPS';

/** By `nal_unit_type`; a keyframe needs all of them. */
export const PARAMETER_SETS: Readonly<Record<NalCodec, Readonly<Record<number, ParameterSet>>>> = {
  avc: { 7: 'SPS', 8: 'PPS' },
  hevc: { 32: 'VPS', 33: 'SPS', 34: 'PPS' },
};

const AVC_SLICE = 1;
const AVC_IDR = 5;
const AVC_SEI = 6;
const HEVC_RASL: ReadonlySet<number> = new Set([8, 9]);
const HEVC_FIRST_IRAP = 16;
const HEVC_LAST_IRAP = 23;
const HEVC_CRA = 21;
const HEVC_LAST_SLICE = 31;
const SEI_RECOVERY_POINT = 6;

/**
 * Reads the units in front of the first slice, and that slice's type. `marked`: the container calls
 * the frame a sync sample or random access point.
 */
export function parseFrameHeader(
  codec: NalCodec,
  units: Iterable<Uint8Array>,
  marked: boolean,
): FrameHeader {
  const parameterSets = new Set<ParameterSet>();
  let recoveryPoint = false;
  for (const unit of units) {
    const header = unit[0] ?? 0;
    const type = codec === 'avc' ? header & 0x1f : (header >> 1) & 0x3f;
    const set = PARAMETER_SETS[codec][type];
    if (set) parameterSets.add(set);
    else if (codec === 'avc' && type === AVC_SEI) recoveryPoint ||= hasRecoveryPoint(unit);
    else if (codec === 'avc' && type >= AVC_SLICE && type <= AVC_IDR) {
      const entry = type === AVC_IDR ? 'closed' : recoveryPoint || marked ? 'open' : 'none';
      return { entry, refersAcrossEntry: false, parameterSets };
    } else if (codec === 'hevc' && type <= HEVC_LAST_SLICE) {
      const isEntry = type >= HEVC_FIRST_IRAP && type <= HEVC_LAST_IRAP;
      const entry = !isEntry ? 'none' : type === HEVC_CRA ? 'open' : 'closed';
      return { entry, refersAcrossEntry: HEVC_RASL.has(type), parameterSets };
    }
  }
  return { entry: 'none', refersAcrossEntry: false, parameterSets };
}

/**
 * Whether a segment, given as its frames in decode order, decodes without the one before. An open
 * entry of H.265 may have no frame that refers back over it.
 */
export function startsClosed(codec: NalCodec, frames: readonly FrameHeader[]): boolean {
  const [first, ...rest] = frames;
  if (first?.entry === 'closed') return true;
  if (codec === 'avc' || first?.entry === 'none') return false;
  const next = rest.findIndex(({ entry }) => entry !== 'none');
  return !rest.slice(0, next < 0 ? rest.length : next).some((it) => it.refersAcrossEntry);
}

/** SEI messages are (type, size, payload) with both numbers in bytes of 255 and a rest. */
function hasRecoveryPoint(unit: Uint8Array): boolean {
  for (let at = 1; at + 2 < unit.length; ) {
    let type = 0;
    let size = 0;
    for (; unit[at] === 0xff; at += 1) type += 255;
    type += unit[at++] ?? 0;
    for (; unit[at] === 0xff; at += 1) size += 255;
    size += unit[at++] ?? 0;
    if (type === SEI_RECOVERY_POINT) return true;
    at += size;
  }
  return false;
}

/** Units behind their lengths, as in MP4 samples. */
export function* unitsInSample(bytes: Uint8Array, lengthBytes: number): Generator<Uint8Array> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + lengthBytes < buffer.length; ) {
    const length = buffer.readUIntBE(at, lengthBytes);
    yield buffer.subarray(at + lengthBytes, at + lengthBytes + length);
    at += lengthBytes + length;
  }
}

const START_CODE = Buffer.from([0, 0, 1]);

/** Units behind start codes (ITU-T H.264, Annex B). A zero behind one may belong to the next start code. */
export function* unitsInAnnexB(bytes: Uint8Array): Generator<Uint8Array> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.indexOf(START_CODE); at >= 0; ) {
    const start = at + START_CODE.length;
    at = buffer.indexOf(START_CODE, start);
    yield buffer.subarray(start, at < 0 ? buffer.length : at);
  }
}
