import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFrameHeader, unitsInAnnexB } from '../../lib/media/demux/nal-units.ts';

const START_CODE = [0, 0, 1];
const SPS = [...START_CODE, 0x67, 1];
const IDR_SLICE = [...START_CODE, 0x65, 1];

// Four megabytes of slices take a few milliseconds because of this.
describe('NAL units in Annex B:', () => {
  test('bytes behind the unit that was asked for are not read', () => {
    const bytes = Uint8Array.from([...SPS, ...IDR_SLICE, ...new Array(100).fill(0xff)]);
    const units = unitsInAnnexB(bytes);
    assert.deepEqual([...(units.next().value ?? assert.fail())], [0x67, 1]);
    // A start code that appears now is found, as nothing has looked there yet.
    bytes.set(SPS, 50);
    assert.deepEqual(
      [...units].map(([header]) => header),
      [0x65, 0x67],
    );
  });

  test('a frame is known by its first slice, whatever follows', () => {
    const bytes = Uint8Array.from([...SPS, ...IDR_SLICE, ...SPS, ...SPS]);
    let asked = 0;
    const counted = (function* () {
      for (const unit of unitsInAnnexB(bytes)) {
        asked += 1;
        yield unit;
      }
    })();
    const { entry, parameterSets } = parseFrameHeader('avc', counted, false);
    assert.deepEqual([entry, [...parameterSets], asked], ['closed', ['SPS'], 2]);
  });

  test('a slice is cut to the length of the longest header', () => {
    const bytes = Uint8Array.from([...IDR_SLICE, ...new Array(100_000).fill(0xff)]);
    assert.deepEqual(
      [...unitsInAnnexB(bytes)].map(({ length }) => length),
      [4096],
    );
  });
});
