import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { box, boxesAt, isoKind, u32, u64 } from '../../lib/media/iso-boxes.ts';

const kindOf = (...types: readonly string[]) =>
  isoKind(Buffer.concat(types.map((type) => box(type, [0, 0, 0, 0]))));

describe('kinds of ISO BMFF:', () => {
  test('a header without media is an init segment', () => {
    assert.equal(kindOf('ftyp', 'moov'), 'init');
    assert.equal(kindOf('free', 'moov', 'sidx'), 'init');
  });

  test('media without a header is a fragment, whichever box it begins with', () => {
    for (const first of ['styp', 'sidx', 'emsg', 'prft', 'free', 'skip', 'uuid', 'mdat']) {
      assert.equal(kindOf(first, 'moof', 'mdat'), 'fragment', first);
    }
    assert.equal(kindOf('moof', 'mdat'), 'fragment');
  });

  test('media with its header is a file, fragmented or not', () => {
    assert.equal(kindOf('ftyp', 'moov', 'mdat'), 'file');
    assert.equal(kindOf('ftyp', 'mdat', 'moov'), 'file');
    assert.equal(kindOf('ftyp', 'moov', 'moof', 'mdat'), 'file');
    assert.equal(kindOf('ftyp', 'mdat'), 'file');
  });

  test('boxes that nobody knows may stand in front of those that say what it is', () => {
    assert.equal(kindOf('vndr', 'moov'), 'init');
    assert.equal(kindOf('vndr', 'abcd', 'moof', 'mdat'), 'fragment');
    assert.equal(kindOf('vndr', 'moov', 'mdat'), 'file');
  });

  test('other bytes are not ISO BMFF', () => {
    assert.equal(kindOf('vndr', 'mdat'), undefined);
    assert.equal(isoKind(new Uint8Array(0)), undefined);
    assert.equal(isoKind(new TextEncoder().encode('#EXTM3U\n#EXT-X')), undefined);
  });

  test('a box with a size of 64 bits is followed by the next', () => {
    const long = Buffer.concat([
      Buffer.from(u32(1)),
      Buffer.from('uuid'),
      Buffer.from(u64(24)),
      Buffer.alloc(8),
    ]);
    assert.equal(isoKind(Buffer.concat([long, box('moof'), box('mdat')])), 'fragment');
    assert.equal(isoKind(Buffer.concat([long, box('moov')])), 'init');
  });
});

describe('boxes at a path:', () => {
  test('one that ends behind its parent is none of them', () => {
    const child = Buffer.from([...u32(100), ...Buffer.from('mdia')]);
    const bytes = Buffer.concat([box('trak', child), box('free', Buffer.alloc(200))]);
    assert.deepEqual(boxesAt(bytes, ['trak', 'mdia']), []);
    assert.equal(boxesAt(Buffer.concat([box('trak', box('mdia'))]), ['trak', 'mdia']).length, 1);
  });
});
