import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  closestName,
  disproves,
  matchesVariant,
  mayBeOfOneVariant,
  type NamedNumber,
  type Numbering,
  numberByName,
  numbersByPlace,
  segmentNumberOfName,
  variantPattern,
  withVariantPattern,
} from '../../lib/domain/segment-names.ts';

describe('the number in a name that is known alone', () => {
  const NUMBERS: Readonly<Record<string, number | undefined>> = {
    'seg0.ts': 0,
    'live-00012.m4s': 12,
    'stream_720p_0007.ts': 7,
    'seg_0007_720p.ts': 7,
    'chunk-stream0-00001.m4s': 1,
    'stream_0_001.ts': 1,
    'v0/segment_12.ts': 12,
    video123: 123,
    'seg.00042': 42,
    'seg.00042.mp4': 42,
    'seg-7-v1-a1.ts': 7,
    'seg_00001_2000000.ts': 1,
    'segment12_1080p30.ts': 12,
    'video_12_1280x720.ts': 12,
    '12_h264.ts': 12,
    '12_1080.ts': 12,
    'live_12_v1.5.ts': 12,
    'media-ub42_b1200000_17.ts': 17,
    'fileSequence3.ts': 3,
    'stream_720p.ts': 720,
    '144.ts': 144,
    '1000000000000000.ts': 1_000_000_000_000_000,
    '9007199254740991.ts': undefined,
    '2026-11-21T10-00-00-15.ts': 15,
    '20261125-101502-0007.ts': 7,
    'live-20261125-101502.ts': undefined,
    '2026/11/25/10/15/02.ts': undefined,
    '20261125101502.ts': undefined,
    '10-15-58.ts': undefined,
    '1700000000.ts': undefined,
    'seg-1700000000123.ts': undefined,
    '3f2b9c1e-7d4a-4c55-9b1f-0a2d3c4e5f60.ts': undefined,
    'd41d8cd98f00b204e9800998ecf8427e.ts': undefined,
    'init.mp4': undefined,
    'a.m3u8': undefined,
    '.mp4': undefined,
    'пример.ts': undefined,
    'видео-0009.ts': 9,
    '': undefined,
  };
  for (const [name, expected] of Object.entries(NUMBERS)) {
    test(`"${name}" is ${expected}`, () => assert.equal(segmentNumberOfName(name), expected));
  }

  test('is found behind any prefix and any zeros', () => {
    const prefix = fc.constantFrom('', 'seg', 'live-', 'a_720p_', '2026-11-21T10-00-00-', 'x.y.');
    const extension = fc.constantFrom('.ts', '.m4s', '.mp4', '.aac', '');
    // Larger ones may be dates.
    const count = fc.nat(9_999_999);
    fc.assert(
      fc.property(prefix, count, fc.nat(6), extension, (start, number, zeros, end) => {
        const name = `${start}${'0'.repeat(zeros)}${number}${end}`;
        assert.equal(segmentNumberOfName(name), number);
      }),
    );
  });
});

const known = (...names: readonly (readonly [string, number])[]): NamedNumber[] =>
  names.map(([name, number]) => ({ name, number }));

describe('the number of a name after others', () => {
  const counter = (number: number): Numbering => ({ basis: 'counter', number });
  const guess = (number: number): Numbering => ({ basis: 'guess', number });
  const order: Numbering = { basis: 'order' };
  const CASES: readonly (readonly [
    what: string,
    name: string,
    before: readonly NamedNumber[],
    expected: Numbering,
    listed?: readonly NamedNumber[],
  ])[] = [
    ['one step', 'seg-2-v1-a1.ts', known(['seg-1-v1-a1.ts', 1]), guess(2)],
    ['two steps', 'seg9.ts', known(['seg7.ts', 7]), guess(9)],
    ['one step back, of an overtaken file', 'seg6.ts', known(['seg7.ts', 7]), guess(6)],
    ['another shape', 'b-3.ts', known(['seg7.ts', 7]), order],
    ['the same but for its folder', 'b/seg8.ts', known(['a/seg7.ts', 7]), order],
    [
      'the step of one rather than that of the duration',
      'seg_00002_1960000.ts',
      known(['seg_00001_2000000.ts', 1]),
      guess(2),
    ],
    ['a step too large for a counter', 't-180000.m4s', known(['t-0.m4s', 0]), order],
    ['seconds of a date', '20261125-101504.ts', known(['20261125-101502.ts', 0]), order],
    ['a minute of a date', '2026/11/25/10/16/00.ts', known(['2026/11/25/10/15/58.ts', 0]), order],
    ['a Unix time', '1700000002.ts', known(['1700000000.ts', 0]), order],
    [
      'a counter behind a date',
      '20261125-101504-0008.ts',
      known(['20261125-101502-0007.ts', 7]),
      guess(8),
    ],
    [
      'a counter that began at a Unix time',
      '1700000003.ts',
      known(['1700000000.ts', 0], ['1700000001.ts', 1], ['1700000002.ts', 2]),
      counter(3),
    ],
    [
      'what was taken for another number goes on from there',
      'live_8_v1.ts',
      known(['live_5_v1.ts', 1], ['live_6_v1.ts', 2], ['live_7_v1.ts', 3]),
      counter(4),
    ],
    ['a hole', 'seg99.ts', known(['seg0.ts', 0], ['seg1.ts', 1], ['seg2.ts', 2]), counter(99)],
    [
      'nothing that counts by one',
      '0300.ts',
      known(['0000.ts', 0], ['0120.ts', 1], ['0210.ts', 2]),
      order,
    ],
    [
      'a number below zero',
      'seg0.ts',
      known(['seg5.ts', 1], ['seg6.ts', 2], ['seg7.ts', 3]),
      order,
    ],
    [
      'a name that counts by two, as the playlist shows',
      'seg_4.ts',
      known(['seg_0.ts', 0], ['seg_2.ts', 2]),
      order,
      known(['seg_0.ts', 0], ['seg_2.ts', 1]),
    ],
    [
      'the number that the playlist counts by',
      '00040_6_x.ts',
      known(['00020_5_x.ts', 20]),
      guess(21),
      known(['00010_4_x.ts', 7], ['00020_5_x.ts', 8]),
    ],
    [
      'numbers too large for a number',
      `a${'9'.repeat(30)}.ts`,
      known([`a${'8'.repeat(30)}.ts`, 0]),
      order,
    ],
  ];
  for (const [what, name, before, expected, listed] of CASES) {
    test(`${what}: "${name}"`, () => {
      assert.deepEqual(numberByName(name, before, listed), expected);
    });
  }

  test('a counter gives every name of a series its number, whatever the others of its numbers say', () => {
    const others = fc.array(fc.nat(5000), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(others, fc.nat(1000), fc.nat(3), (fixed, first, place) => {
        const name = (count: number) => {
          const numbers: number[] = [...fixed];
          numbers.splice(Math.min(place, fixed.length), 0, count);
          return `s-${numbers.join('-')}x.ts`;
        };
        const before = [0, 1, 2].map((step) => ({ name: name(first + step), number: 7 + step }));
        for (const step of [3, 4, 50]) {
          const found = numberByName(name(first + step), before);
          assert.deepEqual(found, { basis: 'counter', number: 7 + step });
        }
      }),
    );
  });

  test('no text makes it throw', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.string({ unit: fc.constantFrom(...'019afv_./-'), maxLength: 60 }),
    );
    fc.assert(
      fc.property(fc.array(name, { minLength: 2, maxLength: 6 }), (names) => {
        const before = names.slice(1).map((one, number) => ({ name: one, number }));
        const found = numberByName(names[0] ?? '', before, before);
        assert.ok(found.basis === 'order' || Number.isSafeInteger(found.number));
        segmentNumberOfName(names[0] ?? '');
        closestName(names[0] ?? '', names);
        const pattern = variantPattern(names[0] ?? '', names[1] ?? '');
        if (pattern) assert.ok(matchesVariant(names[0] ?? '', [pattern]));
      }),
    );
  });
});

test('the places in a playlist disprove a number that does not grow by one', () => {
  const before = known(['seg_0.ts', 0], ['seg_2.ts', 2]);
  assert.equal(disproves(known(['seg_0.ts', 0], ['seg_2.ts', 1]), before), true);
  assert.equal(disproves(known(['seg_0.ts', 10], ['seg_1.ts', 11]), before), false);
  assert.equal(disproves([], before), false);
});

describe('the numbers of a playlist', () => {
  const CASES: readonly (readonly [
    what: string,
    positions: readonly number[],
    known: readonly (number | undefined)[],
    next: number | undefined,
    expected: readonly (number | undefined)[],
  ])[] = [
    [
      'that comes first are its places',
      [5, 6, 7],
      [undefined, undefined, undefined],
      undefined,
      [5, 6, 7],
    ],
    [
      'of which nothing is known follow all that came',
      [5, 6],
      [undefined, undefined],
      12,
      [12, 13],
    ],
    ['behind a known one go on from it', [5, 6, 7], [40, undefined, undefined], 41, [40, 41, 42]],
    [
      'before the first known one count back',
      [5, 6, 7],
      [undefined, undefined, 42],
      43,
      [40, 41, 42],
    ],
    ['that would fall below zero are left out', [5, 6], [undefined, 0], 1, [undefined, 0]],
    [
      'between two that leave no room are left out',
      [0, 1, 2],
      [0, undefined, 1],
      2,
      [0, undefined, 1],
    ],
    ['in a hole of the names fill it', [0, 1, 2], [0, undefined, 2], 3, [0, 1, 2]],
    ['of an empty playlist are none', [], [], 3, []],
  ];
  for (const [what, positions, before, next, expected] of CASES) {
    test(what, () => {
      const files = positions.map((position) => ({ position }));
      assert.deepEqual(numbersByPlace(files, before, next), expected);
    });
  }
});

describe('variants', () => {
  const CASES: readonly (readonly [name: string, kept: string, next: string, other: string])[] = [
    ['v1/seg1.ts', 'v0/seg1.ts', 'v1/seg2.ts', 'v0/seg2.ts'],
    ['low/seg1.ts', 'high/seg1.ts', 'low/seg77.ts', 'high/seg2.ts'],
    ['stream_1_001.ts', 'stream_0_001.ts', 'stream_1_002.ts', 'stream_0_002.ts'],
    ['720p_1.ts', '1080p_1.ts', '720p_2.ts', '1080p_2.ts'],
    [
      'chunk-stream1-00001.m4s',
      'chunk-stream0-00001.m4s',
      'chunk-stream1-00009.m4s',
      'chunk-stream0-00002.m4s',
    ],
    [
      '20261125-101503_v1.ts',
      '20261125-101502_v0.ts',
      '20261125-101505_v1.ts',
      '20261125-101504_v0.ts',
    ],
    ['audio_1.aac', 'video_1.ts', 'audio_2.aac', 'video_2.ts'],
  ];
  for (const [name, kept, next, other] of CASES) {
    test(`after "${name}" beside "${kept}" are known by their names`, () => {
      const pattern = variantPattern(name, kept) ?? assert.fail();
      assert.equal(matchesVariant(next, [pattern]), true, next);
      assert.equal(matchesVariant(other, [pattern]), false, other);
      assert.equal(matchesVariant(kept, [pattern]), false, kept);
    });
  }

  test('may be two of one variant when they differ in one counter at most, beside dates', () => {
    for (const [name, other, expected] of [
      ['s0_1.ts', 's0_2.ts', true],
      ['s1_1.ts', 's0_0.ts', false],
      ['video_0.ts', 'audio_1.ts', false],
      ['20261125-101504_7.ts', '20261125-101502_6.ts', true],
      ['seg7.ts', 'seg7.ts', true],
      ['3f2b9c1e7d4a4c559b1f.ts', 'aa2b9c1e7d4a4c559b1f.ts', true],
    ] as const) {
      assert.equal(mayBeOfOneVariant(name, other), expected, `${name} ${other}`);
    }
  });

  test('what two names of a variant have in common tells it, unless the kept one has it too', () => {
    const [kept, one, two] = ['s0_0.ts', 's1_1.ts', 's1_2.ts'];
    const first = variantPattern(one, kept) ?? assert.fail();
    const second = variantPattern(two, kept) ?? assert.fail();
    const patterns = withVariantPattern(withVariantPattern([], first, kept), second, kept);
    assert.equal(matchesVariant('s1_77.ts', patterns), true);
    assert.equal(matchesVariant('s0_77.ts', patterns), false);
    const beside = withVariantPattern([first], second, 's1_0.ts');
    assert.equal(matchesVariant('s1_77.ts', beside), false);
  });

  test('a hash tells nothing of the next name', () => {
    assert.equal(variantPattern('3f2b9c1e7d4a4c559b1f.ts', 'aa2b9c1e7d4a4c559b1f.ts'), undefined);
  });
});

test('an init segment belongs to the files that its name is like', () => {
  const CASES: readonly (readonly [
    name: string,
    candidates: readonly string[],
    expected: string,
  ])[] = [
    ['v1/seg1.m4s', ['v0/init.mp4', 'v1/init.mp4', 'v2/init.mp4'], 'v1/init.mp4'],
    ['stream_0_001.m4s', ['init_0.mp4', 'init_1.mp4'], 'init_0.mp4'],
    ['stream_1_1.m4s', ['init_0.mp4', 'init_1.mp4'], 'init_1.mp4'],
    ['stream_0_1.m4s', ['init_0.mp4', 'init_1.mp4'], 'init_0.mp4'],
    ['chunk-stream1-00001.m4s', ['init-stream0.m4s', 'init-stream1.m4s'], 'init-stream1.m4s'],
    ['seg5.m4s', ['init-a.mp4', 'init-b.mp4'], 'init-b.mp4'],
  ];
  for (const [name, candidates, expected] of CASES) {
    assert.equal(closestName(name, candidates), expected, name);
  }
  assert.equal(closestName('a.m4s', []), undefined);
});
