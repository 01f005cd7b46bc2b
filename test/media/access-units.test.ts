import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { DomainError } from '../../lib/domain/errors.ts';
import type { SegmentFacts } from '../../lib/domain/segment.ts';
import { scanAccessUnits } from '../../lib/media/demux/access-units.ts';
import { fillTimes } from '../../lib/media/demux/frame-times.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import {
  type Pes,
  PIDS,
  splitPackets,
  splitPes,
  withoutTimes,
  withPes,
} from '../support/ts-mangler.ts';

const CLIP = { seconds: 4, rate: '25', size: '128x72' } as const;

async function secondOf(options: ClipOptions): Promise<Buffer[]> {
  const { segments } = await makeSegments({ ...CLIP, ...options });
  return splitPackets(segments[1]?.bytes ?? assert.fail());
}

const inspect = async (list: readonly Buffer[]): Promise<SegmentFacts> =>
  (await inspectSegment(Buffer.concat(list))).facts;

const videoOf = async (packets: readonly Buffer[], units: readonly Pes[]) =>
  (await inspect(withPes(packets, PIDS.video, units))).video;

describe('pictures of a transport stream:', () => {
  let packets: readonly Buffer[];
  let units: readonly Pes[];
  let whole: SegmentFacts['video'];

  before(async () => {
    packets = await secondOf({});
    units = splitPes(packets, PIDS.video);
    whole = (await inspect(packets)).video;
    assert.equal(whole?.frames, 50);
  });

  test('one may lie in many PES packets, which repeat its time or have none', async () => {
    for (const repeats of [true, false]) {
      const split = units.flatMap(({ header, data }) =>
        Array.from({ length: Math.ceil(data.length / 150) }, (_, part) => ({
          header: part === 0 || repeats ? header : withoutTimes,
          data: data.subarray(part * 150, part * 150 + 150),
        })),
      );
      assert.ok(split.length > 60);
      assert.deepEqual(await videoOf(packets, split), whole);
    }
  });

  test('several may lie in one PES packet, of which the first has a time', async () => {
    const plain = await secondOf({ bFrames: 0 });
    const single = splitPes(plain, PIDS.video);
    const expected = (await inspect(plain)).video;
    for (const count of [2, 5, 50]) {
      const joined = Array.from({ length: Math.ceil(single.length / count) }, (_, index) => {
        const some = single.slice(index * count, index * count + count);
        const header = some[0]?.header ?? assert.fail();
        return { header, data: Buffer.concat(some.map(({ data }) => data)) };
      });
      assert.deepEqual(await videoOf(plain, joined), expected, `${count} in one`);
    }
  });

  test('they are found without delimiters, and in several slices', async () => {
    for (const params of ['aud=0:slices=4', 'aud=1:slices=4', 'aud=0:slices=1']) {
      const sliced = await secondOf({
        videoArgs: ['-x264-params', `${params}:scenecut=0:repeat-headers=1`],
      });
      assert.equal((await inspect(sliced)).video?.frames, 50, params);
    }
    const hevc = ['-x265-params', 'open-gop=0:slices=2:log-level=none:scenecut=0:repeat-headers=1'];
    const sliced = await secondOf({ video: 'hevc', videoArgs: hevc, size: '256x256' });
    assert.equal((await inspect(sliced)).video?.frames, 50);
  });

  test('a picture whose beginning lies in the segment before is not counted', async () => {
    const sliced = await secondOf({
      videoArgs: ['-x264-params', 'aud=0:slices=4:scenecut=0:repeat-headers=1'],
    });
    const [first, ...rest] = splitPes(sliced, PIDS.video);
    const { header, data } = first ?? assert.fail();
    const tail = data.subarray(data.lastIndexOf(Buffer.from([0, 0, 1])));
    const video = await videoOf(sliced, [{ header, data: tail }, { header, data }, ...rest]);
    assert.equal(video?.frames, 50);
  });
});

describe('access units of H.264:', () => {
  /** Main profile, 64x64, fields allowed, `frame_num` of 4 bits. */
  const FIELDS_SPS = nal(0x67, [0x4d, 0x40, 0x0a], '1 1 1 011 010 0 00100 010 0 0 1 0 0 1');
  /** First macroblock, slice type 7, parameter set 0, frame_num, field_pic, bottom_field. */
  const field = (type: number, frameNumber: number, isBottom: number) =>
    nal(type, [], `1 0001000 1 ${frameNumber.toString(2).padStart(4, '0')} 1 ${isBottom} 1`);
  const frame = (frameNumber: number) =>
    nal(0x41, [], `1 0001000 1 ${frameNumber.toString(2).padStart(4, '0')} 0 1`);

  test('fields are known by their slice headers', () => {
    const data = Buffer.concat([
      FIELDS_SPS,
      field(0x65, 0, 0),
      field(0x41, 0, 1),
      frame(1),
      field(0x41, 2, 1),
    ]);
    const { units, parameters } = scanAccessUnits('avc', data);
    assert.deepEqual(
      units.map((unit) => unit.field),
      [
        { isBottom: false, frameNumber: 0 },
        { isBottom: true, frameNumber: 0 },
        undefined,
        { isBottom: true, frameNumber: 2 },
      ],
    );
    assert.deepEqual(
      parameters.map(({ widthPx, heightPx, codecString }) => [widthPx, heightPx, codecString]),
      [[64, 64, 'avc1.4d400a']],
    );
  });

  test('whatever the bytes are, they are read, or refused', () => {
    const startCodes = fc.array(
      fc.tuple(fc.constantFrom(1, 5, 6, 7, 9, 0x42, 0x40, 0x44), fc.uint8Array({ maxLength: 40 })),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(fc.constantFrom('avc' as const, 'hevc' as const), startCodes, (codec, parts) => {
        const data = Buffer.concat(
          parts.flatMap(([type, body]) => [Buffer.from([0, 0, 1, type]), body]),
        );
        const { units } = scanAccessUnits(codec, data);
        assert.ok(units.length <= 30 * 14);
      }),
      { numRuns: 300 },
    );
  });

  test('more pictures than a segment has are refused', () => {
    const data = Buffer.concat(Array.from({ length: 30_100 }, () => nal(0x65, [], '1')));
    assert.throws(
      () => scanAccessUnits('avc', data),
      (error) => error instanceof DomainError && error.code === 'undecodable',
    );
  });
});

describe('times of frames without a PTS:', () => {
  const NONE = undefined;
  for (const [name, times, declared, expected] of [
    [
      'they lie evenly between their neighbours',
      [0, NONE, NONE, 9000],
      NONE,
      [0, 3000, 6000, 9000],
    ],
    ['they go on at the rate of the others', [NONE, 3000, 6000, NONE], NONE, [0, 3000, 6000, 9000]],
    ['one time is enough with a declared rate', [100, NONE, NONE], 1500, [100, 1600, 3100]],
    ['one time alone goes on at 25 a second', [NONE, 0], NONE, [-3600, 0]],
    ['without any time there is none', [NONE, NONE], 3000, NONE],
  ] as const) {
    test(name, () => assert.deepEqual(fillTimes(times, declared), expected));
  }
});

/** A unit with its start code; `bits` with stop bit, filled up with zeros. */
function nal(header: number, bytes: readonly number[], bits: string): Buffer {
  const text = bits.replaceAll(' ', '');
  const body = (text.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  return Buffer.from([0, 0, 1, header, ...bytes, ...body]);
}
