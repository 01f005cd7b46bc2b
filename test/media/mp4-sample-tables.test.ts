import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DomainError } from '../../lib/domain/errors.ts';
import { type Mp4Box, readBoxes } from '../../lib/media/demux/mp4-boxes.ts';
import { readSampleTable } from '../../lib/media/demux/mp4-sample-tables.ts';
import { SampleBudget } from '../../lib/media/demux/mp4-samples.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { type BoxContent, box, fullBox, u16, u32, u64 } from '../../lib/media/iso-boxes.ts';

const table = (type: string, ...numbers: readonly number[]) =>
  fullBox(type, 0, 0, numbers.flatMap(u32));

/** Five samples of 10 to 14 bytes in three chunks, at 1000, 2000 and 3000. */
const TABLES = {
  stts: table('stts', 2, 4, 100, 1, 50),
  stsc: table('stsc', 2, 1, 2, 1, 3, 1, 1),
  stsz: table('stsz', 0, 5, 10, 11, 12, 13, 14),
  stco: table('stco', 3, 1000, 2000, 3000),
};

const read = (tables: Readonly<Record<string, Uint8Array>>) => {
  const bytes = box('stbl', ...Object.values(tables));
  const [stbl] = readBoxes(bytes).boxes as Mp4Box[];
  return readSampleTable(bytes, stbl ?? assert.fail(), 1, new SampleBudget());
};

const told = (tables: Readonly<Record<string, Uint8Array>>): string =>
  read(tables)
    .samples.map(({ at, sizeBytes, presentation, duration, isSync }) => {
      return `${at}+${sizeBytes} ${presentation}+${duration}${isSync ? '' : ' -'}`;
    })
    .join(', ');

const PLAIN = '1000+10 0+100, 1010+11 100+100, 2000+12 200+100, 2012+13 300+100, 3000+14 400+50';

const refusal = (reading: () => unknown): string => {
  try {
    reading();
  } catch (error) {
    assert.ok(error instanceof DomainError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return assert.fail('It was taken.');
};

describe('sample tables:', () => {
  test('samples lie in chunks, one after the other', () => {
    assert.equal(told(TABLES), PLAIN);
    const { stco: _, ...others } = TABLES;
    const co64 = fullBox('co64', 0, 0, u32(3), ...[1000, 2000, 3000].map(u64));
    assert.equal(told({ ...others, co64 }), PLAIN);
  });

  test('sizes may be one for all, or of 4, 8 and 16 bits', () => {
    const { stsz: _, ...others } = TABLES;
    const compact = (bits: number, entries: BoxContent) =>
      fullBox('stz2', 0, 0, u32(bits), u32(5), entries);
    assert.equal(told({ ...others, stz2: compact(4, [0xab, 0xcd, 0xe0]) }), PLAIN);
    assert.equal(told({ ...others, stz2: compact(8, [10, 11, 12, 13, 14]) }), PLAIN);
    const words = [10, 11, 12, 13, 14].flatMap(u16);
    assert.equal(told({ ...others, stz2: compact(16, words) }), PLAIN);
    assert.match(told({ ...TABLES, stsz: table('stsz', 7, 5) }), /^1000\+7 0\+100, 1007\+7 /);
  });

  test('offsets of presentation may be negative, and sync samples listed', () => {
    const ctts = table('ctts', 2, 1, 200, 4, 0x1_0000_0000 - 50);
    assert.match(told({ ...TABLES, ctts }), / 200\+100, \S+ 50\+100, \S+ 150\+100, /);
    const stss = table('stss', 2, 1, 4);
    assert.match(told({ ...TABLES, stss }), /^\S+ \S+, \S+ \S+ -, \S+ \S+ -, \S+ \S+, \S+ \S+ -$/);
    const stps = table('stps', 1, 5);
    assert.match(told({ ...TABLES, stss, stps }), /50$/);
  });

  test('samples without a place or a duration are left out, and counted', () => {
    const { samples, unlisted } = read({ ...TABLES, stco: table('stco', 2, 1000, 2000) });
    assert.deepEqual([samples.length, unlisted], [4, 1]);
    assert.equal(read({ ...TABLES, stts: table('stts', 1, 3, 100) }).unlisted, 2);
    assert.equal(read({ ...TABLES, stsc: table('stsc', 1, 1, 0, 1) }).unlisted, 5);
  });

  test('a table with more entries than its box has room for is refused', () => {
    for (const [type, stride] of [
      ['stts', 8],
      ['ctts', 8],
      ['stsc', 12],
      ['stco', 4],
      ['stss', 4],
    ] as const) {
      const cut = fullBox(type, 0, 0, u32(1000), Buffer.alloc(stride * 3));
      const said = `undecodable: The table ${type} speaks of 1000 entries, and has room for 3.`;
      assert.equal(
        refusal(() => read({ ...TABLES, [type]: cut })),
        said,
      );
    }
    const stsz = table('stsz', 0, 1000, 1, 2);
    assert.match(
      refusal(() => read({ ...TABLES, stsz })),
      /stsz speaks of 1000 entries/,
    );
    assert.match(
      refusal(() => read({ ...TABLES, stts: box('stts', [0, 0]) })),
      /stts is too short/,
    );
  });

  test('more samples than a segment has are refused, however they are spread', () => {
    const many = 'a segment has 30000 at most';
    const sizes = table('stsz', 1, 30_001);
    assert.match(
      refusal(() => read({ ...TABLES, stsz: sizes })),
      new RegExp(`30001 .*${many}`),
    );
    const runs = table('stts', 4, ...[10_000, 1, 10_000, 1, 10_000, 1, 1, 1]);
    assert.match(
      refusal(() => read({ ...TABLES, stts: runs })),
      new RegExp(`30001 .*${many}`),
    );
    const budget = new SampleBudget();
    for (const trackId of [1, 2, 3]) budget.spend(trackId, 30_000, 'stsz');
    assert.match(
      refusal(() => budget.spend(1, 1, 'trun')),
      new RegExp(`trun .*30001 .*${many}`),
    );
    assert.match(
      refusal(() => budget.spend(4, 10_001, 'trun')),
      /100001 samples; .*100000 at most/,
    );
  });

  test('tables of any contents are read or refused', () => {
    const contents = fc.uint8Array({ maxLength: 64 });
    const types = ['stts', 'ctts', 'stsc', 'stsz', 'stz2', 'stco', 'co64', 'stss', 'stps'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...types), contents), (changed) => {
        const boxes = Object.entries(changed).map(([type, body]) => [type, box(type, body)]);
        try {
          read({ ...TABLES, ...Object.fromEntries(boxes) });
        } catch (error) {
          assert.ok(error instanceof DomainError, String(error));
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

/** How many numbers of 32 bits are read: the steps of every walk over boxes and tables. */
async function stepsOf(bytes: Uint8Array): Promise<number> {
  const { getUint32 } = DataView.prototype;
  let steps = 0;
  DataView.prototype.getUint32 = function (...place) {
    steps += 1;
    return getUint32.apply(this, place);
  };
  try {
    await assert.rejects(inspectSegment(bytes), DomainError);
  } finally {
    DataView.prototype.getUint32 = getUint32;
  }
  return steps;
}

describe('hostile boxes are refused in as many steps as the body has bytes:', () => {
  const movie = (...tracks: readonly Uint8Array[]) =>
    Buffer.concat([box('ftyp', Buffer.from('isom')), box('moov', ...tracks), box('mdat', [0])]);
  const track = (...tables: readonly Uint8Array[]) =>
    box(
      'trak',
      fullBox('tkhd', 0, 0, Buffer.alloc(8), u32(1), Buffer.alloc(68)),
      box(
        'mdia',
        fullBox('mdhd', 0, 0, Buffer.alloc(8), u32(1000), Buffer.alloc(8)),
        fullBox('hdlr', 0, 0, u32(0), Buffer.from('vide'), Buffer.alloc(13)),
        box('minf', box('stbl', ...tables)),
      ),
    );
  const stsd = fullBox('stsd', 0, 0, u32(1), box('avc1', Buffer.alloc(78)));

  const overlapping = (count: number): Uint8Array => {
    const tail = 16 * count;
    const traks = Array.from({ length: count }, (_, index) => [
      ...[...u32(16), ...Buffer.from('trak')],
      ...[...u32(tail - 16 * index - 8), ...Buffer.from('mdia')],
    ]);
    return movie(Buffer.from(traks.flat()));
  };
  const nested = (depth: number): Uint8Array =>
    Array.from({ length: depth }).reduce<Uint8Array>((inner) => box('trak', inner), box('free'));
  const runs = (count: number, each: number): Uint8Array =>
    Buffer.concat([
      movie(track(stsd, ...Object.values(TABLES))),
      box(
        'moof',
        box(
          'traf',
          fullBox('tfhd', 0, 0x02_0038, u32(1), u32(1), u32(0), u32(0)),
          ...Array.from({ length: count }, () => fullBox('trun', 0, 0, u32(each))),
        ),
      ),
    ]);

  test('each bound has its words', () => {
    const refusalOf = (bytes: Uint8Array) => refusal(() => readBoxes(bytes));
    assert.equal(
      refusalOf(overlapping(2)),
      'undecodable: Box mdia ends at byte 52, behind box trak, which ends at byte 36.',
    );
    assert.equal(refusalOf(nested(20)), 'undecodable: Boxes are nested 11 deep in box trak.');
    const empty = Buffer.concat(Array(100_001).fill(box('free')));
    assert.equal(refusalOf(empty), 'undecodable: The MP4 has more than 100000 boxes.');
    assert.equal(readBoxes(empty.subarray(8)).boxes.length, 100_000);
  });

  const bodies: readonly (readonly [string, () => Uint8Array])[] = [
    ['children that reach behind their parents', () => overlapping(20_000)],
    ['boxes within boxes', () => movie(nested(2000))],
    ['boxes without contents', () => Buffer.concat(Array(120_000).fill(box('free')))],
    [
      'boxes without contents in a header',
      () => movie(Buffer.concat(Array(120_000).fill(box('trak')))),
    ],
    ['many runs of many samples', () => runs(2000, 30_000)],
    ['one run of four milliards of samples', () => runs(1, 0xffff_ffff)],
    [
      'tables of chunks without samples',
      () =>
        movie(
          track(
            stsd,
            TABLES.stts,
            TABLES.stsz,
            table('stsc', 1, 1, 0, 1),
            table('stco', 10_000, ...Array(10_000).fill(1)),
          ),
        ),
    ],
    [
      'tables in places of their own',
      () => movie(box('edts', box('stbl', table('stts', 1, 4e8, 1)))),
    ],
    [
      'a sample description that holds tables',
      () =>
        movie(
          track(
            fullBox(
              'stsd',
              0,
              0,
              u32(1),
              box('avc1', Buffer.alloc(78), box('stbl', table('stts', 1, 4e8, 1))),
            ),
            ...Object.values(TABLES),
          ),
        ),
    ],
    [
      'samples that share their bytes',
      () =>
        movie(
          track(
            stsd,
            table('stts', 1, 30_000, 1),
            table('stsz', 0xffff, 30_000),
            table('stsc', 1, 1, 1, 1),
            table('stco', 30_000, ...Array(30_000).fill(8)),
          ),
        ),
    ],
  ];
  for (const [name, make] of bodies) {
    test(name, async () => {
      const bytes = make();
      const steps = await stepsOf(bytes);
      assert.ok(steps <= bytes.length / 2 + 2000, `${steps} steps for ${bytes.length} bytes`);
    });
  }
});
