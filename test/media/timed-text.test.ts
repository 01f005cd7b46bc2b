import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { boxesAt, viewOf } from '../../lib/media/iso-boxes.ts';
import { type MovieTrack, movieHeader } from '../../lib/media/mux/movie-header.ts';
import { SampleTables } from '../../lib/media/mux/sample-tables.ts';
import { textDescription, textSample } from '../../lib/media/mux/timed-text.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const picture = { widthPx: 320, heightPx: 180 };

describe('timed text', () => {
  test('stands white at the bottom of the picture, and says that it is forced', () => {
    const boxes = [
      ['00000055', '73747364', '00000000', '00000001'],
      ['00000045', '74783367', '000000000000', '0001'],
      // Forced; centred, at the bottom, on nothing; over all of the picture.
      ['c0000000', '01', 'ff', '00000000', '0000', '0000', '00b4', '0140'],
      // Font 1, plain, 12 px, white.
      ['0000', '0000', '0001', '00', '0c', 'ffffffff'],
      ['00000017', '66746162', '0001', '0001', '0a', '53616e732d5365726966'],
    ];
    const description = textDescription({ ...picture, isForced: true });
    assert.equal(hex(description), boxes.flat().join(''));
    const plain = textDescription({ ...picture, heightPx: 1080, isForced: false });
    assert.equal(viewOf(plain).getUint32(32), 0);
    assert.equal(plain[16 + 16 + 18 + 7], 54, 'twenty lines fill the picture');
  });

  test('has its length in front, in bytes', () => {
    assert.equal(hex(textSample('Ä', 5).bytes), '0002c384');
    assert.equal(hex(textSample('', 5).bytes), '0000');
    assert.equal(textSample('x'.repeat(70_000), 5).bytes.length, 2 + 65_535);
  });

  test('is a track that is off, in front of the picture, with its name and its role', () => {
    const track: MovieTrack = {
      ...{ kind: 'subtitle', timescale: 1000, language: 'de', label: 'Deutsch', ...picture },
      ...{ role: 'forced-subtitle', isDefault: false, skippedTicks: () => 0 },
      sampleDescription: textDescription({ ...picture, isForced: true }),
    };
    const tables = new SampleTables();
    tables.addChunk(0, 0, [textSample('Hi', 1000)]);
    const header = movieHeader([{ track, tables }], 90_000, 0, false);
    const content = (...path: readonly string[]): Buffer => {
      const [found] = boxesAt(header, ['moov', 'trak', ...path]);
      return Buffer.from(header.subarray(found?.bodyStart, found?.end));
    };
    const tkhd = content('tkhd');
    assert.equal(tkhd.readUInt32BE(0), 2, 'in the movie, and not enabled');
    assert.deepEqual([tkhd.readInt16BE(32), tkhd.readInt16BE(34)], [-1, 2], 'layer, alternates');
    assert.deepEqual([tkhd.readUInt16BE(76), tkhd.readUInt16BE(80)], [320, 180]);
    assert.equal(content('mdia', 'hdlr').toString('latin1', 8, 12), 'sbtl');
    assert.equal(content('mdia', 'hdlr').toString('utf8', 24), 'Deutsch\0');
    assert.equal(hex(content('mdia', 'minf', 'nmhd')), '00000000');
    assert.equal(content('udta', 'name').toString(), 'Deutsch');
    assert.equal(
      content('udta', 'kind').toString('utf8', 4),
      'urn:mpeg:dash:role:2011\0forced-subtitle\0',
    );
  });
});
