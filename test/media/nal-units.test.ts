import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFrameHeader } from '../../lib/media/demux/nal-units.ts';

const SPS = [0x67, 1];
const IDR_SLICE = [0x65, 1];

describe('frame headers:', () => {
  test('a frame is known by its first slice, whatever follows', () => {
    let asked = 0;
    const counted = (function* () {
      for (const unit of [SPS, IDR_SLICE, SPS, SPS]) {
        asked += 1;
        yield Uint8Array.from(unit);
      }
    })();
    const { entry, parameterSets } = parseFrameHeader('avc', counted, false);
    assert.deepEqual([entry, [...parameterSets], asked], ['closed', ['SPS'], 2]);
  });
});
