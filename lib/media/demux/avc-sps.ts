/** Sequence parameter sets of H.264 (ITU-T H.264, 7.3.2.1.1 and E.1.1). */

import { BitReader, BitstreamError } from './bit-reader.ts';
import {
  croppedSide,
  displaySize,
  readFrameTicks,
  readUsabilityAndRate,
  type VideoParameters,
} from './video-parameters.ts';

/** Profiles whose parameter sets have chroma format, bit depths and scaling lists. */
const HIGH_PROFILES: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

/** Of level 6.2, in macroblocks: MaxFS, and the square root of 8 × MaxFS (A.3.1). */
const MAX_FRAME_BLOCKS = 139_264;
const MAX_SIDE_BLOCKS = 1055;
const MAX_REFERENCE_FRAMES = 16;
const MAX_OFFSET = 2 ** 31;

/** `unit`: the NAL unit with its header byte. Throws BitstreamError when a value is outside its bounds. */
export function parseAvcSps(unit: Uint8Array): VideoParameters {
  const [, profile = 0] = unit;
  const bits = new BitReader(unit.subarray(4));
  bits.unsigned('seq_parameter_set_id', 31);
  const chroma = HIGH_PROFILES.has(profile) ? readHighProfile(bits) : FOUR_TWO_ZERO;
  const frameNumBits = 4 + bits.unsigned('log2_max_frame_num_minus4', 12);
  skipPictureOrder(bits);
  bits.unsigned('max_num_ref_frames', MAX_REFERENCE_FRAMES);
  bits.bit();
  const widthBlocks = 1 + bits.unsigned('pic_width_in_mbs_minus1', MAX_SIDE_BLOCKS - 1);
  const heightUnits = 1 + bits.unsigned('pic_height_in_map_units_minus1', MAX_SIDE_BLOCKS - 1);
  const frameOnly = bits.bit();
  if (!frameOnly) bits.bit();
  bits.bit();
  const fields = 2 - frameOnly;
  if (widthBlocks * heightUnits * fields > MAX_FRAME_BLOCKS) {
    throw new BitstreamError(
      `a frame of ${widthBlocks}x${heightUnits * fields} blocks, more than the ${MAX_FRAME_BLOCKS} of level 6.2`,
    );
  }
  const [left, right, top, bottom] = bits.bit()
    ? [crop(bits), crop(bits), crop(bits), crop(bits)]
    : [0, 0, 0, 0];
  const width = croppedSide('width', 16 * widthBlocks, chroma.cropX * (left + right));
  const height = croppedSide(
    'height',
    16 * heightUnits * fields,
    chroma.cropY * fields * (top + bottom),
  );
  const usability = readUsabilityAndRate(bits, () =>
    bits.bit() ? readFrameTicks(bits, 2) : undefined,
  );
  return {
    codecString: `avc1.${Buffer.from(unit.subarray(1, 4)).toString('hex')}`,
    ...displaySize(width, height, usability.pixelAspect),
    saysMatrix: usability.saysMatrix,
    ...(usability.hdr && { hdr: usability.hdr }),
    frameTicks: usability.frameTicks,
    fields: frameOnly ? undefined : { frameNumBits, separatePlanes: chroma.separatePlanes },
  };
}

const crop = (bits: BitReader): number => bits.unsigned('frame_crop_offset', 16 * MAX_SIDE_BLOCKS);

type Chroma = Readonly<{ cropX: number; cropY: number; separatePlanes: boolean }>;

const FOUR_TWO_ZERO: Chroma = { cropX: 2, cropY: 2, separatePlanes: false };

function readHighProfile(bits: BitReader): Chroma {
  const format = bits.unsigned('chroma_format_idc', 3);
  const separatePlanes = format === 3 && bits.bit() === 1;
  bits.unsigned('bit_depth_luma_minus8', 6);
  bits.unsigned('bit_depth_chroma_minus8', 6);
  bits.bit();
  if (bits.bit()) {
    for (let list = 0; list < (format === 3 ? 12 : 8); list += 1) {
      if (bits.bit()) skipScalingList(bits, list < 6 ? 16 : 64);
    }
  }
  return {
    cropX: format === 1 || format === 2 ? 2 : 1,
    cropY: format === 1 ? 2 : 1,
    separatePlanes,
  };
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let index = 0; index < size; index += 1) {
    const next = (last + bits.signed('delta_scale', 128) + 256) % 256;
    if (next === 0) return;
    last = next;
  }
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.unsigned('pic_order_cnt_type', 2);
  if (type === 0) bits.unsigned('log2_max_pic_order_cnt_lsb_minus4', 12);
  if (type !== 1) return;
  bits.bit();
  bits.signed('offset_for_non_ref_pic', MAX_OFFSET);
  bits.signed('offset_for_top_to_bottom_field', MAX_OFFSET);
  const cycle = bits.unsigned('num_ref_frames_in_pic_order_cnt_cycle', 255);
  for (let frame = 0; frame < cycle; frame += 1) bits.signed('offset_for_ref_frame', MAX_OFFSET);
}
