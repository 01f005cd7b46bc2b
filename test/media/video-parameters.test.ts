import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseAvcSps } from '../../lib/media/demux/avc-sps.ts';
import { BitstreamError } from '../../lib/media/demux/bit-reader.ts';
import { parseHevcSps } from '../../lib/media/demux/hevc-sps.ts';

/** Baseline, 64x64, up to the flag of cropping; each number stands apart. */
const BASE = '1 1 1 1 010 0 00100 00100 1 1';

const avc = (bits: string, profile = 0x42): Uint8Array => {
  const text = bits.replaceAll(' ', '');
  const body = (text.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  return Uint8Array.from([0x67, profile, 0, 30, ...body]);
};

const sizeOf = (unit: Uint8Array) => {
  const { widthPx, heightPx, saysMatrix } = parseAvcSps(unit);
  return [widthPx, heightPx, saysMatrix];
};

describe('sequence parameter sets of H.264:', () => {
  test('size, pixel aspect and colour matrix are read', () => {
    for (const [bits, expected] of [
      [`${BASE} 0 0 1`, [64, 64, false]],
      // Cropped by 2 x 8 rows at the bottom.
      [`${BASE} 1 1 1 1 0001001 0 1`, [64, 48, false]],
      // aspect_ratio_idc 14: 4:3.
      [`${BASE} 0 1 1 00001110 0 0 0 0`, [85, 64, false]],
      // Extended: 2:1, and 0:1, which says nothing.
      [`${BASE} 0 1 1 11111111 0000000000000010 0000000000000001 0 0 0 0`, [128, 64, false]],
      [`${BASE} 0 1 1 11111111 0000000000000000 0000000000000001 0 0 0 0`, [64, 64, false]],
      // Colour description: BT.709, and unspecified.
      [`${BASE} 0 1 0 0 1 1010 1 00000001 00000001 00000001 0 0`, [64, 64, true]],
      [`${BASE} 0 1 0 0 1 1010 1 00000010 00000010 00000010 0 0`, [64, 64, false]],
      // Usability information that ends too early leaves the size.
      [`${BASE} 0 1 1`, [64, 64, false]],
    ] as const) {
      assert.deepEqual(sizeOf(avc(bits)), expected, bits);
    }
  });

  test('the rate is that of frames, which have two ticks of the clock', () => {
    const bits32 = (value: number) => value.toString(2).padStart(32, '0');
    const timing = `${BASE} 0 1 0 0 0 0 1 ${bits32(1)} ${bits32(50)} 1`;
    assert.equal(parseAvcSps(avc(timing)).frameTicks, 3600);
  });

  test('numbers outside their bounds are refused before they are used', () => {
    const zeros = '0'.repeat(31);
    for (const [bits, what] of [
      // A cycle of 2^31 reference frames, which was once counted down.
      [`1 1 010 0 1 1 ${zeros}1${zeros} 1`, /num_ref_frames_in_pic_order_cnt_cycle is 2147483647/],
      [`${'0'.repeat(60)}1`, /more than 32 bits/],
      ['1 1', /ends too early/],
      ['1 1 1 1 000010010', /max_num_ref_frames is 17/],
      ['1 1 1 1 010 0 000000000010000100000', /pic_width_in_mbs_minus1 is 1055/],
      ['1 1 1 1 010 0 0000000001000000000 0000000001000000000 1', /a frame of 512x512 blocks/],
      [`${BASE} 1 00000100001 1 1 1`, /64 of 64 pixels of its width are cropped/],
    ] as const) {
      assert.throws(
        () => parseAvcSps(avc(bits)),
        (error) => error instanceof BitstreamError && what.test(error.message),
        bits,
      );
    }
  });
});

describe('sequence parameter sets of any bytes:', () => {
  for (const [name, parse] of [
    ['H.264', parseAvcSps],
    ['H.265', parseHevcSps],
  ] as const) {
    test(`${name}: they are read, or damaged`, () => {
      const unit = fc.tuple(
        fc.constantFrom(66, 77, 100, 138, 244),
        fc.uint8Array({ maxLength: 120 }),
        fc.nat(7),
      );
      fc.assert(
        fc.property(unit, ([profile, bytes, kept]) => {
          // High bits make short codes, which lead further into the syntax.
          const dense = bytes.map((byte) => byte | (0xff << kept));
          try {
            const { widthPx, heightPx } = parse(Uint8Array.from([0x67, profile, ...dense]));
            assert.ok(widthPx > 0 && heightPx > 0);
          } catch (error) {
            assert.ok(error instanceof BitstreamError, String(error));
          }
        }),
        { numRuns: 3000 },
      );
    });
  }
});
