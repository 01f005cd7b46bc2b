/** What a sequence parameter set says of a video, for H.264 and H.265 alike. */

import { type BitReader, BitstreamError } from './bit-reader.ts';

export type VideoParameters = Readonly<{
  /** RFC 6381. */
  codecString: string;
  /** Display size: cropped, pixel aspect applied. */
  widthPx: number;
  heightPx: number;
  /** Whether it names the colour matrix. */
  saysMatrix: boolean;
  hdr?: Hdr;
  /** Of a frame, if the stream tells its rate. */
  frameTicks?: number | undefined;
  /** H.264 that may code the fields of a frame apart. */
  fields?: FieldSyntax | undefined;
}>;

/** What is needed to find the fields in H.264 slice headers. */
export type FieldSyntax = Readonly<{ frameNumBits: number; separatePlanes: boolean }>;

/** Video usability information, as far as it is of use. */
export type Usability = Readonly<{ pixelAspect: number; saysMatrix: boolean; hdr?: Hdr }>;

/** Transfer characteristics of high dynamic range (ITU-T H.273, Table 3). */
export type Hdr = 'pq' | 'hlg';

const TRANSFERS: Readonly<Record<number, Hdr>> = { 16: 'pq', 18: 'hlg' };

const NO_USABILITY: Usability = { pixelAspect: 1, saysMatrix: false };

/** By `aspect_ratio_idc` (H.264, Table E-1; H.265, Table E.1). */
const PIXEL_ASPECTS: readonly (readonly [width: number, height: number])[] = [
  ...([
    [1, 1],
    [1, 1],
    [12, 11],
    [10, 11],
    [16, 11],
    [40, 33],
    [24, 11],
    [20, 11],
  ] as const),
  ...([
    [32, 11],
    [80, 33],
    [18, 11],
    [15, 11],
    [64, 33],
    [160, 99],
    [4, 3],
    [3, 2],
  ] as const),
  [2, 1],
];
const EXTENDED_ASPECT = 255;
const UNSPECIFIED_MATRIX = 2;

/** The part of `vui_parameters` that both codecs begin with (H.264, E.1.1; H.265, E.2.1). */
export function readUsability(bits: BitReader): Usability {
  const pixelAspect = bits.bit() ? readPixelAspect(bits) : 1;
  if (bits.bit()) bits.bit();
  let saysMatrix = false;
  let hdr: Hdr | undefined;
  if (bits.bit()) {
    bits.skip(4);
    if (bits.bit()) {
      bits.skip(8);
      hdr = TRANSFERS[bits.bits(8)];
      saysMatrix = bits.bits(8) !== UNSPECIFIED_MATRIX;
    }
  }
  if (bits.bit()) {
    bits.unsigned('chroma_sample_loc_type_top_field', 5);
    bits.unsigned('chroma_sample_loc_type_bottom_field', 5);
  }
  return { pixelAspect, saysMatrix, ...(hdr && { hdr }) };
}

/** A width or height of 0 means unspecified; such pixels are taken for square. */
function readPixelAspect(bits: BitReader): number {
  const index = bits.bits(8);
  const [width, height] =
    index === EXTENDED_ASPECT ? [bits.bits(16), bits.bits(16)] : (PIXEL_ASPECTS[index] ?? [1, 1]);
  return width > 0 && height > 0 ? width / height : 1;
}

/**
 * `num_units_in_tick` and `time_scale`: undefined when either is 0. H.264 counts fields: `unitsPerFrame`
 * is 2 there.
 */
export function readFrameTicks(bits: BitReader, unitsPerFrame: number): number | undefined {
  const units = bits.bits(32);
  const scale = bits.bits(32);
  return units > 0 && scale > 0 ? (90_000 * unitsPerFrame * units) / scale : undefined;
}

/** Pictures can be decoded though their usability information is damaged: what cannot be read is left out. */
export function readUsabilityAndRate(
  bits: BitReader,
  readRate: () => number | undefined,
): Usability & Readonly<{ frameTicks?: number | undefined }> {
  if (!bits.bit()) return NO_USABILITY;
  let read: ReturnType<typeof readUsabilityAndRate> = NO_USABILITY;
  try {
    read = readUsability(bits);
    read = { ...read, frameTicks: readRate() };
  } catch (error) {
    if (!(error instanceof BitstreamError)) throw error;
  }
  return read;
}

/** Enlarges one side, so that no sample is lost. */
export function displaySize(widthPx: number, heightPx: number, pixelAspect: number) {
  return pixelAspect >= 1
    ? { widthPx: Math.round(widthPx * pixelAspect), heightPx }
    : { widthPx, heightPx: Math.round(heightPx / pixelAspect) };
}

/** Cropping may not leave nothing. */
export function croppedSide(name: string, codedPx: number, croppedPx: number): number {
  if (croppedPx < codedPx) return codedPx - croppedPx;
  throw new BitstreamError(`${croppedPx} of ${codedPx} pixels of its ${name} are cropped`);
}
