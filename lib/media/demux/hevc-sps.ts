/** Sequence parameter sets of H.265 (ITU-T H.265, 7.3.2.2.1 and E.2.1). */

import { BitReader, BitstreamError } from './bit-reader.ts';
import {
  croppedSide,
  displaySize,
  readFrameTicks,
  readUsabilityAndRate,
  type VideoParameters,
} from './video-parameters.ts';

/** Of level 6.2: MaxLumaPs, and the square root of 8 × MaxLumaPs (A.4.1). */
const MAX_PICTURE_PX = 35_651_584;
const MAX_SIDE_PX = 16_888;
const MAX_SUB_LAYERS = 7;
const MAX_REFERENCE_PICTURES = 16;
const MAX_CODE = 2 ** 32 - 2;

/** `unit`: the NAL unit with its two header bytes. Throws BitstreamError when a value is outside its bounds. */
export function parseHevcSps(unit: Uint8Array): VideoParameters {
  const bits = new BitReader(unit.subarray(2));
  bits.skip(4);
  const subLayers = 1 + bits.bits(3);
  if (subLayers > MAX_SUB_LAYERS) throw new BitstreamError(`it has ${subLayers} sub-layers`);
  bits.skip(1);
  const codecString = readProfileTierLevel(bits, subLayers);
  bits.unsigned('sps_seq_parameter_set_id', 15);
  const format = bits.unsigned('chroma_format_idc', 3);
  if (format === 3) bits.skip(1);
  const width = bits.unsigned('pic_width_in_luma_samples', MAX_SIDE_PX);
  const height = bits.unsigned('pic_height_in_luma_samples', MAX_SIDE_PX);
  if (width * height > MAX_PICTURE_PX) {
    throw new BitstreamError(
      `a picture of ${width}x${height} pixels, more than the ${MAX_PICTURE_PX} of level 6.2`,
    );
  }
  const crop = () => bits.unsigned('conf_win_offset', MAX_SIDE_PX);
  const [left, right, top, bottom] = bits.bit() ? [crop(), crop(), crop(), crop()] : [0, 0, 0, 0];
  const cropX = format === 1 || format === 2 ? 2 : 1;
  const widthPx = croppedSide('width', width, cropX * (left + right));
  const heightPx = croppedSide('height', height, (format === 1 ? 2 : 1) * (top + bottom));
  skipCodingTools(bits, subLayers);
  const { pixelAspect, saysMatrix, hdr, frameTicks } = readUsabilityAndRate(bits, () => {
    bits.skip(3);
    if (bits.bit()) for (let side = 0; side < 4; side += 1) crop();
    return bits.bit() ? readFrameTicks(bits, 1) : undefined;
  });
  return {
    codecString,
    ...displaySize(widthPx, heightPx, pixelAspect),
    saysMatrix,
    ...(hdr && { hdr }),
    frameTicks,
  };
}

/** Codec string by ISO/IEC 14496-15, E.3. */
function readProfileTierLevel(bits: BitReader, subLayers: number): string {
  const space = ['', 'A', 'B', 'C'][bits.bits(2)] ?? '';
  const tier = bits.bit() ? 'H' : 'L';
  const profile = bits.bits(5);
  let compatibility = 0;
  for (let flag = 0; flag < 32; flag += 1) compatibility += bits.bit() * 2 ** flag;
  const constraints = Array.from({ length: 6 }, () => bits.bits(8));
  const level = bits.bits(8);
  while (constraints.at(-1) === 0) constraints.pop();
  const present = Array.from({ length: subLayers - 1 }, () => [bits.bit(), bits.bit()] as const);
  if (subLayers > 1) bits.skip(2 * (8 - (subLayers - 1)));
  for (const [hasProfile, hasLevel] of present) bits.skip(88 * hasProfile + 8 * hasLevel);
  const hex = (value: number) => value.toString(16).toUpperCase();
  const parts = [`${space}${profile}`, hex(compatibility), `${tier}${level}`];
  return ['hev1', ...parts, ...constraints.map(hex)].join('.');
}

/** From the bit depths to the flag in front of the usability information. */
function skipCodingTools(bits: BitReader, subLayers: number): void {
  bits.unsigned('bit_depth_luma_minus8', 8);
  bits.unsigned('bit_depth_chroma_minus8', 8);
  const orderBits = 4 + bits.unsigned('log2_max_pic_order_cnt_lsb_minus4', 12);
  for (let layer = bits.bit() ? 0 : subLayers - 1; layer < subLayers; layer += 1) {
    bits.unsigned('sps_max_dec_pic_buffering_minus1', MAX_REFERENCE_PICTURES);
    bits.unsigned('sps_max_num_reorder_pics', MAX_REFERENCE_PICTURES);
    bits.unsigned('sps_max_latency_increase_plus1', MAX_CODE);
  }
  for (let size = 0; size < 6; size += 1) bits.unsigned('a block size', 6);
  if (bits.bit() && bits.bit()) skipScalingLists(bits);
  bits.skip(2);
  if (bits.bit()) {
    bits.skip(8);
    bits.unsigned('log2_min_pcm_luma_coding_block_size_minus3', 2);
    bits.unsigned('log2_diff_max_min_pcm_luma_coding_block_size', 2);
    bits.skip(1);
  }
  skipReferenceSets(bits);
  if (bits.bit()) {
    const pictures = bits.unsigned('num_long_term_ref_pics_sps', 32);
    bits.skip(pictures * (orderBits + 1));
  }
  bits.skip(2);
}

function skipScalingLists(bits: BitReader): void {
  for (let size = 0; size < 4; size += 1) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!bits.bit()) {
        bits.unsigned('scaling_list_pred_matrix_id_delta', 5);
        continue;
      }
      if (size > 1) bits.signed('scaling_list_dc_coef_minus8', 247);
      const coefficients = Math.min(64, 1 << (4 + 2 * size));
      for (let index = 0; index < coefficients; index += 1) {
        bits.signed('scaling_list_delta_coef', 128);
      }
    }
  }
}

/** Short-term reference picture sets (7.3.7); one may be told by its difference to the one before. */
function skipReferenceSets(bits: BitReader): void {
  const sets = bits.unsigned('num_short_term_ref_pic_sets', 64);
  let pictures = 0;
  for (let set = 0; set < sets; set += 1) {
    pictures = set > 0 && bits.bit() ? skipPredictedSet(bits, pictures) : skipPlainSet(bits);
    if (pictures > MAX_REFERENCE_PICTURES) {
      throw new BitstreamError(`a picture refers to ${pictures} others`);
    }
  }
}

function skipPredictedSet(bits: BitReader, before: number): number {
  bits.bit();
  bits.unsigned('abs_delta_rps_minus1', 2 ** 15 - 1);
  let pictures = 0;
  for (let picture = 0; picture <= before; picture += 1) {
    if (bits.bit() || bits.bit()) pictures += 1;
  }
  return pictures;
}

function skipPlainSet(bits: BitReader): number {
  const negative = bits.unsigned('num_negative_pics', MAX_REFERENCE_PICTURES);
  const pictures = negative + bits.unsigned('num_positive_pics', MAX_REFERENCE_PICTURES);
  for (let picture = 0; picture < pictures; picture += 1) {
    bits.unsigned('delta_poc_minus1', 2 ** 15 - 1);
    bits.bit();
  }
  return pictures;
}
