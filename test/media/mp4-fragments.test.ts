import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { box, boxesIn, u32, u64, viewOf } from '../../lib/media/iso-boxes.ts';
import { makeSegments } from '../support/media.ts';
import { changeBoxes, setField } from '../support/mp4-mangler.ts';
import { transcodeRun } from './segment-run.ts';

/** The second of two segments of 2 s: 60 frames, and sound. Each is one fragment. */
let fragment: Uint8Array;
let first: Uint8Array;
let init: Uint8Array;

before(async () => {
  const clip = await makeSegments({ seconds: 4, container: 'fmp4' });
  [first = assert.fail(), fragment = assert.fail()] = clip.segments.map(({ bytes }) => bytes);
  init = clip.init ?? assert.fail();
});

const told = async (bytes: Uint8Array, header = init) => {
  const { facts } = await inspectSegment(bytes, header);
  const { video, audio, notices = [] } = facts;
  return [
    video && `${video.frames} frames ${video.startTicks}-${video.endTicks}`,
    ...audio.map((track) => `${track.packets} packets ${track.startTicks}-${track.endTicks}`),
    ...notices.map(({ code }) => code),
  ];
};

const refusal = (bytes: Uint8Array, header = init): Promise<string> =>
  inspectSegment(bytes, header).then(
    () => assert.fail('It was taken.'),
    (error) => {
      assert.ok(error instanceof DomainError, String(error.stack));
      return `${error.code}: ${error.message}`;
    },
  );

const partsOf = (bytes: Uint8Array) => {
  const boxes = [...boxesIn(bytes)];
  const of = (type: string) => boxes.find((it) => it.type === type) ?? assert.fail(type);
  const cut = ({ start, end }: { start: number; end: number }) => bytes.subarray(start, end);
  return { moof: cut(of('moof')), mdat: cut(of('mdat')), moofStart: of('moof').start };
};

const WHOLE = ['60 frames 185941-365941', '97 packets 180690-366930'];

describe('a fragment:', () => {
  test('boxes of any type may stand in front of it', async () => {
    assert.deepEqual(await told(fragment), WHOLE);
    for (const type of [
      'uuid',
      'free',
      'skip',
      'emsg',
      'prft',
      'sidx',
      'styp',
      'abcd',
      '\0\x01z!',
    ]) {
      const led = Buffer.concat([box(type, Buffer.alloc(40)), fragment]);
      assert.deepEqual(await told(led), WHOLE, type);
    }
    const sized = [...u32(1), ...Buffer.from('vndr'), ...u64(24), ...u64(0)];
    assert.deepEqual(await told(Buffer.concat([Buffer.from(sized), fragment])), WHOLE);
  });

  test('absolute data offsets are those of the file that it was cut out of', async () => {
    const { moof, mdat } = partsOf(fragment);
    for (const base of [0, 5_000_000, 2 ** 40]) {
      // tfhd with base-data-offset, which takes the place of default-base-is-moof.
      const absolute = changeBoxes(moof, (path, body) => {
        if (path !== 'moof/traf/tfhd') return undefined;
        const flags = (viewOf(body).getUint32(0) & ~0x02_0000) | 0x01;
        return [box('tfhd', u32(flags), body.subarray(4, 8), u64(base), body.subarray(8))];
      });
      const grown = absolute.length - moof.length;
      const moved = setField(absolute, 'moof/traf/trun', 8, (offset) => offset + grown);
      assert.deepEqual(await told(Buffer.concat([moved, mdat])), WHOLE, String(base));
      const behind = Buffer.concat([box('free', Buffer.alloc(99)), moved, mdat]);
      assert.deepEqual(await told(behind), WHOLE, String(base));
      const lost = Buffer.concat([moved, box('free', Buffer.alloc(8)), mdat.subarray(0, 8)]);
      lost.set(u32(8), lost.length - 8);
      assert.match(
        await refusal(lost),
        /undecodable: .*offsets are absolute \(base-data-offset \d+/,
      );
    }
  });

  test('without any base its offsets count from the moof, and go on from track to track', async () => {
    const { moof, mdat } = partsOf(fragment);
    const plain = setField(moof, 'moof/traf/tfhd', 0, (flags) => flags & ~0x02_0000);
    let base = 0;
    let track = 0;
    const relative = changeBoxes(plain, (path, body) => {
      if (path !== 'moof/traf/trun') return undefined;
      const copy = Uint8Array.from(body);
      const offset = viewOf(copy).getUint32(8);
      if (track++ > 0) copy.set(u32(offset - base), 8);
      base = offset + sizeOfRun(body);
      return [box('trun', copy)];
    });
    assert.deepEqual(await told(Buffer.concat([relative, mdat])), WHOLE);
  });

  test('where tfdt is missing, time goes on from fragment to fragment of a track', async () => {
    const untimed = (bytes: Uint8Array) =>
      changeBoxes(bytes, (path) => (path === 'moof/traf/tfdt' ? [] : undefined));
    const shorter = (bytes: Uint8Array) => {
      const shift = bytes.length - untimed(bytes).length;
      return setField(untimed(bytes), 'moof/traf/trun', 8, (offset) => offset - shift);
    };
    const [one, ...rest] = await told(shorter(fragment));
    assert.match(one ?? '', /^60 frames \d+-\d+$/);
    const [both] = await told(Buffer.concat([shorter(fragment), shorter(fragment)]));
    const [, start = 0, end = 0] = /(\d+)-(\d+)/.exec(one ?? '')?.map(Number) ?? [];
    assert.equal(both, `120 frames ${start}-${end + 180_000}`);
    assert.equal(rest.length, 1);
  });

  test('several in one segment are read as one', async () => {
    assert.deepEqual(await told(Buffer.concat([first, fragment])), [
      '120 frames 5941-365941',
      '189 packets 4050-366930',
    ]);
  });

  test('where the clock steps between two, ffmpeg gets the times without the step', async () => {
    const timescales: number[] = [];
    changeBoxes(init, (path, body) => {
      if (path === 'moov/trak/mdia/mdhd') timescales.push(viewOf(body).getUint32(12));
      return undefined;
    });
    const stepped = changeBoxes(fragment, (path, body) => {
      if (path !== 'moof/traf/tfdt') return undefined;
      const time = viewOf(body).getBigUint64(4);
      return [box('tfdt', u32(1 << 24), u64(Number(time) + 100 * (timescales.shift() ?? 0)))];
    });
    const clip = { segments: [{ name: '0.m4s', bytes: Buffer.concat([first, stepped]) }], init };
    const { placed, renditions } = await transcodeRun(clip, { targetSeconds: 1 });
    assert.equal(placed[0]?.facts.clockStepTicks, 100 * 90_000);
    assert.deepEqual(
      renditions['180p']?.pieces.map((piece) => [
        piece.samples.length,
        piece.endTicks - piece.startTicks,
      ]),
      Array.from({ length: 4 }, () => [30, 90_000]),
    );
  });

  test('the last one that is cut off is left out, and those before it are kept', async () => {
    const both = Buffer.concat([first, fragment]);
    const { moofStart } = partsOf(fragment);
    for (const cut of [500, fragment.length - moofStart - 100, fragment.length - moofStart - 4]) {
      const [frames, , ...notices] = await told(both.subarray(0, both.length - cut));
      assert.equal(frames, '60 frames 5941-185941');
      assert.deepEqual(notices, ['damaged'], String(cut));
    }
    assert.match(await refusal(fragment.subarray(0, -500)), /truncated_segment: Box mdat ends/);
    assert.match(await refusal(fragment.subarray(0, moofStart + 60)), /truncated_segment|missing/);
  });

  test('tracks that the header does not have are named', async () => {
    const other = setField(fragment, 'moof/traf/tfhd', 4, (id) => id + 6);
    assert.match(
      await refusal(other),
      /undecodable: .*of the tracks 7, 8; the header has .* 1, 2\./,
    );
  });

  test('decode times of any size are bounded', async () => {
    const late = changeBoxes(fragment, (path) =>
      path === 'moof/traf/tfdt' ? [box('tfdt', u32(0x0100_0000), u64(2 ** 62))] : undefined,
    );
    assert.match(await refusal(late), /undecodable: A sample is to be shown at \d+ s/);
  });
});

/** Bytes of data of a run that has the sizes of all its samples. */
function sizeOfRun(body: Uint8Array): number {
  const view = viewOf(body);
  const flags = view.getUint32(0);
  const columns = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag);
  const from = 8 + (flags & 0x01 ? 4 : 0) + (flags & 0x04 ? 4 : 0);
  const column = columns.indexOf(0x200);
  assert.ok(column >= 0, 'The run has no sizes.');
  return Array.from({ length: view.getUint32(4) }, (_, index) =>
    view.getUint32(from + 4 * (index * columns.length + column)),
  ).reduce((sum, size) => sum + size, 0);
}
