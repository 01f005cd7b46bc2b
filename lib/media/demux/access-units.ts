/**
 * Access units of an elementary stream in Annex B: which NAL units belong to one picture (ITU-T H.264,
 * 7.4.1.2.3 and 7.4.1.2.4; H.265, 7.4.2.4.4). Reads headers alone, whatever the size of the slices.
 */

import { DomainError } from '../../domain/errors.ts';
import { parseAvcSps } from './avc-sps.ts';
import { BitReader, BitstreamError } from './bit-reader.ts';
import { MAX_SAMPLES } from './demuxed-segment.ts';
import { parseHevcSps } from './hevc-sps.ts';
import type { NalCodec } from './nal-units.ts';
import type { FieldSyntax, VideoParameters } from './video-parameters.ts';

export type AccessUnit = Readonly<{
  /** Where its first start code stands. */
  start: number;
  /** Its units up to the first slice, that one included; cut to the length of the longest header. */
  headUnits: readonly Uint8Array[];
  /** false: its first slices are missing, as where a stream was cut inside a picture. */
  isBegun: boolean;
  /** H.264: a picture that is half of a frame. */
  field?: FieldHeader | undefined;
}>;

export type FieldHeader = Readonly<{ isBottom: boolean; frameNumber: number }>;

export type ScannedStream = Readonly<{
  /** Those with a picture. */
  units: readonly AccessUnit[];
  /** Of the sequence parameter sets that can be read, in order; one that is repeated stands once. */
  parameters: readonly VideoParameters[];
  /** Why one of the others cannot be read. */
  damage?: string;
}>;

const START_CODE = Buffer.from([0, 0, 1]);
const LONGEST_HEADER_BYTES = 4096;
const LONGEST_SLICE_HEAD_BYTES = 32;
const MAX_NAL_UNITS = 10 * MAX_SAMPLES;
const MAX_PARAMETER_SETS = 64;

type Picture = { start: number; headUnits: Uint8Array[]; slice?: SliceHead };
/** `address`: of its first macroblock; infinite where it is unknown, and not the first. */
type SliceHead = Readonly<{ address: number; field?: FieldHeader | undefined }>;

/** Throws DomainError `undecodable` when there are more pictures than a segment has. */
export function scanAccessUnits(codec: NalCodec, data: Buffer): ScannedStream {
  const { isSlice, precedesPicture, spsType, typeOf, readSlice, parseSps } = SYNTAX[codec];
  const units: AccessUnit[] = [];
  const sets = new Map<string, VideoParameters | undefined>();
  let fields: FieldSyntax | undefined;
  let damage: string | undefined;
  let open: Picture | undefined;
  let lastAddress = 0;
  const close = (): void => {
    if (!open?.slice) return;
    const { start, headUnits, slice } = open;
    units.push({ start, headUnits, isBegun: slice.address === 0, field: slice.field });
    open = undefined;
  };
  const readSps = (unit: Buffer): void => {
    const key = unit.toString('latin1');
    if (!sets.has(key) && sets.size < MAX_PARAMETER_SETS) {
      sets.set(key, undefined);
      try {
        sets.set(key, parseSps(unit));
      } catch (error) {
        if (!(error instanceof BitstreamError)) throw error;
        damage = error.message;
      }
    }
    fields = sets.get(key)?.fields;
  };
  let count = 0;
  for (let at = data.indexOf(START_CODE); at >= 0; ) {
    const next = data.indexOf(START_CODE, at + START_CODE.length);
    const end = next < 0 ? data.length : next;
    const start = at + START_CODE.length;
    count += 1;
    if (units.length > MAX_SAMPLES || count > MAX_NAL_UNITS) throw tooManyPictures(codec);
    const type = typeOf(data, start, end);
    const head = () => data.subarray(start, Math.min(end, start + LONGEST_HEADER_BYTES));
    if (isSlice(type)) {
      const slice = readSlice(
        data.subarray(start, Math.min(end, start + LONGEST_SLICE_HEAD_BYTES)),
        fields,
      );
      // Slices of one picture have rising addresses.
      if (slice.address === 0 || slice.address <= lastAddress) close();
      open ??= { start: at, headUnits: [] };
      if (!open.slice) {
        open.headUnits.push(head());
        open.slice = slice;
      }
      if (Number.isFinite(slice.address)) lastAddress = slice.address;
    } else if (precedesPicture(type)) {
      close();
      open ??= { start: at, headUnits: [] };
      open.headUnits.push(head());
      if (type === spsType) readSps(head());
    }
    at = next;
  }
  close();
  const parameters = [...sets.values()].filter((it) => it !== undefined);
  return { units, parameters, ...(damage === undefined ? {} : { damage }) };
}

const tooManyPictures = (codec: NalCodec): DomainError =>
  new DomainError(
    'undecodable',
    `The ${codec === 'avc' ? 'H.264' : 'H.265'} stream has more than ${MAX_SAMPLES} pictures; a segment has ${MAX_SAMPLES} at most.`,
    'Cut shorter segments; if they are short, the segment was damaged.',
  );

type NalSyntax = Readonly<{
  /** −1 for a unit that is empty, or of another layer. */
  typeOf(data: Buffer, start: number, end: number): number;
  isSlice(type: number): boolean;
  /** Behind the slices of a picture, such a unit begins the next. */
  precedesPicture(type: number): boolean;
  spsType: number;
  readSlice(unit: Buffer, fields: FieldSyntax | undefined): SliceHead;
  parseSps(unit: Buffer): VideoParameters;
}>;

const SYNTAX: Readonly<Record<NalCodec, NalSyntax>> = {
  avc: {
    typeOf: (data, start, end) => (start < end ? (data[start] ?? 0) & 0x1f : -1),
    // Of partitioned slices the first part has the header.
    isSlice: (type) => type === 1 || type === 2 || type === 5,
    precedesPicture: (type) => type >= 6 && type <= 9,
    spsType: 7,
    readSlice: (unit, fields) => orMissing(() => readAvcSlice(unit, fields)),
    parseSps: parseAvcSps,
  },
  hevc: {
    typeOf: (data, start, end) => {
      if (start + 1 >= end) return -1;
      const [first = 0, second = 0] = [data[start], data[start + 1]];
      const layer = ((first & 1) << 5) | (second >> 3);
      return layer === 0 ? (first >> 1) & 0x3f : -1;
    },
    isSlice: (type) => type >= 0 && type < 32,
    precedesPicture: (type) =>
      (type >= 32 && type <= 35) || type === 39 || (type >= 41 && type <= 44) || type >= 48,
    spsType: 33,
    readSlice: (unit) => ({ address: (unit[2] ?? 0) & 0x80 ? 0 : Infinity }),
    parseSps: parseHevcSps,
  },
};

/** H.264, 7.3.3, up to the field flags. */
function readAvcSlice(unit: Buffer, fields: FieldSyntax | undefined): SliceHead {
  const bits = new BitReader(unit.subarray(1));
  const address = bits.unsigned('first_mb_in_slice', 139_264);
  if (!fields) return { address };
  bits.unsigned('slice_type', 9);
  bits.unsigned('pic_parameter_set_id', 255);
  if (fields.separatePlanes) bits.skip(2);
  const frameNumber = bits.bits(fields.frameNumBits);
  const isField = bits.bit() === 1;
  return { address, field: isField ? { isBottom: bits.bit() === 1, frameNumber } : undefined };
}

/** A slice whose header is damaged goes on with the picture before it. */
function orMissing(read: () => SliceHead): SliceHead {
  try {
    return read();
  } catch (error) {
    if (error instanceof BitstreamError) return { address: Infinity };
    throw error;
  }
}
