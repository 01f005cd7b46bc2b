/** The frame size in an H.264 sequence parameter set (ITU-T H.264, 7.3.2.1.1). */

export type AvcFrame = Readonly<{
  /** Cropped, in samples: not yet stretched by the pixel aspect. */
  widthPx: number;
  heightPx: number;
  /** Frames may be coded as two fields. */
  interlaced: boolean;
}>;

/** Profiles whose parameter sets have chroma format, bit depths and scaling lists. */
const HIGH_PROFILES: ReadonlySet<number> = new Set([
  100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135,
]);

/** `unit`: the NAL unit with its header byte. Damaged ones give a size that makes no sense; none throws. */
export function parseAvcSps(unit: Uint8Array): AvcFrame {
  const profile = unit[1] ?? 0;
  const bits = new BitReader(withoutEmulationPrevention(unit.subarray(4)));
  bits.unsigned();
  const chromaFormat = HIGH_PROFILES.has(profile) ? readHighProfile(bits) : 1;
  bits.unsigned();
  skipPictureOrder(bits);
  bits.unsigned();
  bits.bit();
  const widthInBlocks = bits.unsigned() + 1;
  const heightInUnits = bits.unsigned() + 1;
  const frameOnly = bits.bit();
  if (!frameOnly) bits.bit();
  bits.bit();
  const fields = 2 - frameOnly;
  const [left = 0, right = 0, top = 0, bottom = 0] = bits.bit()
    ? [bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()]
    : [];
  const cropX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const cropY = (chromaFormat === 1 ? 2 : 1) * fields;
  return {
    widthPx: 16 * widthInBlocks - cropX * (left + right),
    heightPx: 16 * heightInUnits * fields - cropY * (top + bottom),
    interlaced: !frameOnly,
  };
}

/** Returns `ChromaArrayType`. */
function readHighProfile(bits: BitReader): number {
  const chromaFormat = bits.unsigned();
  const separatePlanes = chromaFormat === 3 ? bits.bit() : 0;
  bits.unsigned();
  bits.unsigned();
  bits.bit();
  if (bits.bit()) {
    for (let list = 0; list < (chromaFormat === 3 ? 12 : 8); list += 1) {
      if (bits.bit()) skipScalingList(bits, list < 6 ? 16 : 64);
    }
  }
  return separatePlanes ? 0 : chromaFormat;
}

function skipScalingList(bits: BitReader, size: number): void {
  let last = 8;
  for (let index = 0; index < size; index += 1) {
    const next = (last + bits.signed() + 256) % 256;
    if (next === 0) return;
    last = next;
  }
}

function skipPictureOrder(bits: BitReader): void {
  const type = bits.unsigned();
  if (type === 0) bits.unsigned();
  if (type !== 1) return;
  bits.bit();
  bits.signed();
  bits.signed();
  for (let count = bits.unsigned(); count > 0; count -= 1) bits.signed();
}

/** Without the bytes 03 that keep start codes out of the data (7.4.1). */
function withoutEmulationPrevention(bytes: Uint8Array): Uint8Array {
  return bytes.filter(
    (byte, index) => !(byte === 3 && bytes[index - 1] === 0 && bytes[index - 2] === 0),
  );
}

/** Bits, and Exp-Golomb codes (9.1). Behind the end it reads zeros as ones, so that codes end. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3] ?? 0xff;
    const bit = (byte >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return bit;
  }

  unsigned(): number {
    let zeros = 0;
    while (this.bit() === 0) zeros += 1;
    let value = 1;
    for (let count = 0; count < zeros; count += 1) value = value * 2 + this.bit();
    return value - 1;
  }

  signed(): number {
    const code = this.unsigned();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }
}
