/** Bits and Exp-Golomb codes of parameter sets and slice headers (ITU-T H.264, 7.2 and 9.1). */

/** What was read cannot be: the bytes are damaged. The message follows "The parameter set is damaged:". */
export class BitstreamError extends Error {}

/** Codes of 32 bits and more are in no syntax element. */
const MAX_LEADING_ZEROS = 31;

/** Every read behind the end throws BitstreamError, so that nothing is counted that is not there. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** `payload`: of a NAL unit behind its header, as it stands in the stream. */
  constructor(payload: Uint8Array) {
    this.#bytes = withoutEmulationPrevention(payload);
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) throw new BitstreamError('it ends too early');
    const bit = (byte >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return bit;
  }

  /** u(n), up to 32 bits. */
  bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index += 1) value = value * 2 + this.bit();
    return value;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** ue(v). Throws BitstreamError above `max`. */
  unsigned(name: string, max: number): number {
    const value = this.#code();
    if (value > max) throw new BitstreamError(`${name} is ${value}, and at most ${max}`);
    return value;
  }

  /** se(v). Throws BitstreamError when it is further from zero than `max`. */
  signed(name: string, max: number): number {
    const code = this.#code();
    const value = code % 2 === 1 ? (code + 1) / 2 : -code / 2;
    if (Math.abs(value) > max) throw new BitstreamError(`${name} is ${value}`);
    return value;
  }

  #code(): number {
    let zeros = 0;
    while (this.bit() === 0) {
      zeros += 1;
      if (zeros > MAX_LEADING_ZEROS) throw new BitstreamError('a number has more than 32 bits');
    }
    return 2 ** zeros + this.bits(zeros) - 1;
  }
}

/** Without the bytes 03 that keep start codes out of the data (H.264, 7.4.1). */
function withoutEmulationPrevention(bytes: Uint8Array): Uint8Array {
  return bytes.filter(
    (byte, index) => !(byte === 3 && bytes[index - 1] === 0 && bytes[index - 2] === 0),
  );
}
