import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { box, boxesAt, fullBox, u32, u64, viewOf } from '../../lib/media/iso-boxes.ts';
import {
  chooseAudio,
  chooseRecorderType,
  chooseVideo,
  chooseWay,
  qualityNamed,
  sizeWithin,
} from '../../web/studio/codec-choice.ts';
import { RecordingCutter } from '../../web/studio/fragmented-mp4.ts';
import { muxSegment } from '../../web/studio/mux-segment.ts';
import { cornerPlace, fitInto } from '../../web/studio/picture-layout.ts';

const SETTINGS = { widthPx: 1280, heightPx: 720, framesPerSecond: 30, bitsPerSecond: 2_500_000 };

describe('the choice of codecs in the studio', () => {
  const only =
    (...codecs: readonly string[]) =>
    async ({ codec }: Readonly<{ codec: string }>): Promise<boolean> =>
      codecs.some((one) => codec.startsWith(one));

  test('video: H.264 where the browser has it, else VP9, else none', async () => {
    assert.equal((await chooseVideo(SETTINGS, only('avc1', 'vp09')))?.codec, 'avc1.640028');
    assert.equal((await chooseVideo(SETTINGS, only('avc1.42', 'vp09')))?.codec, 'avc1.42e028');
    assert.equal((await chooseVideo(SETTINGS, only('vp09')))?.codec, 'vp09.00.40.08');
    assert.equal(await chooseVideo(SETTINGS, only('av01', 'vp8')), undefined);
  });

  test('video: a codec that the browser cannot even parse is not there', async () => {
    const config = await chooseVideo(SETTINGS, async ({ codec }) => {
      if (codec.startsWith('avc1')) throw new TypeError('Invalid codec string');
      return true;
    });
    assert.equal(config?.codec, 'vp09.00.40.08');
  });

  test('audio: AAC where the browser has it, else Opus, of the rate and channels that the source has', async () => {
    const sound = { rateHz: 44_100, channels: 2 };
    assert.equal((await chooseAudio(sound, only('mp4a', 'opus')))?.codec, 'mp4a.40.2');
    assert.deepEqual(await chooseAudio(sound, only('opus')), {
      ...{ codec: 'opus', sampleRate: 44_100, numberOfChannels: 2, bitrate: 128_000 },
    });
    assert.equal(await chooseAudio(sound, only()), undefined);
  });

  test('recorder: fragmented MP4 alone, as the server takes no WebM', () => {
    const linux = (type: string): boolean => /mp4.*opus|webm/.test(type);
    assert.equal(chooseRecorderType(linux), 'video/mp4;codecs=avc1.640028,opus');
    assert.equal(
      chooseRecorderType((type) => type.includes('webm')),
      undefined,
    );
  });

  test('way: WebCodecs, else a recorder, else a sentence', () => {
    const recorderType = 'video/mp4';
    assert.equal(chooseWay({ hasFrameStreams: true, hasCodecs: true, recorderType }), 'codecs');
    assert.equal(chooseWay({ hasFrameStreams: false, hasCodecs: true, recorderType }), 'recorder');
    assert.equal(chooseWay({ hasFrameStreams: false, hasCodecs: true }), undefined);
  });

  test('size: a source fits the quality in its own shape, and is never enlarged', () => {
    const at = (widthPx: number, heightPx: number, name: string): readonly number[] =>
      Object.values(sizeWithin({ widthPx, heightPx }, qualityNamed(name)));
    assert.deepEqual(at(1920, 1080, '720p'), [1280, 720]);
    assert.deepEqual(at(640, 480, '720p'), [640, 480]);
    assert.deepEqual(at(1080, 1920, '720p'), [720, 1280], 'a phone that is held upright');
    assert.deepEqual(at(3440, 1440, '720p'), [1280, 536]);
    assert.deepEqual(at(641, 481, '1080p'), [642, 482], 'even sides');
    assert.equal(qualityNamed('4320p'), '720p');
  });

  test('layout: a picture of another shape is whole, in the middle; the camera is in the corner', () => {
    const target = { width: 1280, height: 720 };
    assert.deepEqual(fitInto({ width: 720, height: 1280 }, target), {
      ...{ x: 437.5, y: 0, width: 405, height: 720 },
    });
    const { x, y, width, height } = cornerPlace({ width: 640, height: 480 }, target);
    assert.ok(x + width < 1280 && y + height < 720 && width < 320 && x > 900 && y > 500);
  });
});

/** Baseline, 64x64. */
const SPS = [0x67, 0x42, 0, 30, 0b1111_0100, 0b0100_0010, 0b0111_0010];
const PPS = [0x68, 0xce, 0x3c, 0x80];
const description = Uint8Array.from([
  ...[1, 0x42, 0, 30, 0xff, 0xe1, 0, SPS.length, ...SPS],
  ...[1, 0, PPS.length, ...PPS],
]);
const video = { codec: 'avc1.42001e', codedWidth: 64, codedHeight: 64, description };
const audio = { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 };
const IDR = Uint8Array.from([0, 0, 0, 4, 0x65, 0x88, 0x80, 0x40]);
const DELTA = Uint8Array.from([0, 0, 0, 4, 0x41, 0x9a, 0x80, 0x40]);
const SILENCE = Uint8Array.from([0xfc, 0xff, 0xfe]);

const frames = (startUs: number, stepsUs: readonly number[]) =>
  stepsUs.map((durationUs, index) => {
    const timeUs = startUs + stepsUs.slice(0, index).reduce((sum, one) => sum + one, 0);
    return { durationUs, packet: { timeUs, isKey: index === 0, bytes: index === 0 ? IDR : DELTA } };
  });

describe('the segments of the studio', () => {
  test('muxed segment: the server finds its tracks, its times on the session clock, and its length', async () => {
    const startUs = 6_040_000;
    const endUs = startUs + 2_000_000;
    const segment = {
      ...{ startUs, endUs, video: frames(startUs, [33_000, 600_000, 1_367_000]) },
      audio: Array.from({ length: 100 }, (_, index) => ({
        ...{ timeUs: startUs + 20_000 * index, durationUs: 20_000, bytes: SILENCE },
      })),
    };
    const { facts } = await inspectSegment(await muxSegment(segment, { video, audio }));
    assert.equal(facts.video?.codecString, 'avc1.42001e');
    assert.equal(facts.video?.startTicks, 543_600);
    assert.ok(Math.abs(facts.endTicks - 723_600) <= 9, `${facts.endTicks}`);
    assert.deepEqual(
      facts.audio.map(({ codec, startTicks, packets }) => [codec, startTicks, packets]),
      [['opus', 543_600, 100]],
    );
    assert.equal(facts.video?.startsClosed, true);
  });

  test('muxed segment: one without sound has no track for it', async () => {
    const segment = { startUs: 0, endUs: 2e6, video: frames(0, [2e6]), audio: [] };
    const { facts } = await inspectSegment(await muxSegment(segment, { video, audio }));
    assert.deepEqual(facts.audio, []);
  });
});

const VIDEO_ID = 2;
const NON_SYNC = 0x0101_0000;

const tkhd = (id: number) => fullBox('tkhd', 0, 7, u32(0), u32(0), u32(id), u32(0));
const track = (id: number, handler: string, timescale: number) =>
  box(
    'trak',
    tkhd(id),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0), u32(0), u32(timescale), u32(0)),
      fullBox('hdlr', 0, 0, u32(0), Buffer.from(handler), u32(0)),
    ),
  );
const trex = (id: number) =>
  fullBox('trex', 0, 0, u32(id), u32(1), u32(1000), u32(0), u32(NON_SYNC));
const INIT = Buffer.concat([
  box('ftyp', Buffer.from('iso5'), u32(0)),
  box(
    'moov',
    track(1, 'soun', 48_000),
    track(VIDEO_ID, 'vide', 30_000),
    box('mvex', trex(1), trex(VIDEO_ID)),
  ),
]);

/** A fragment whose video begins at `startTicks` of 30,000 a second and has frames of a thirtieth. */
const fragment = (startTicks: number, count: number, isKey: boolean, mark: number) =>
  Buffer.concat([
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(1)),
      box('traf', fullBox('tfhd', 0, 0x20000, u32(1)), fullBox('tfdt', 1, 0, u64(0))),
      box(
        'traf',
        fullBox('tfhd', 0, 0x20000, u32(VIDEO_ID)),
        fullBox('tfdt', 1, 0, u64(startTicks)),
        isKey
          ? fullBox('trun', 0, 0x04, u32(count), u32(0x0200_0000))
          : fullBox('trun', 0, 0, u32(count)),
      ),
    ),
    box(
      'mdat',
      Array.from({ length: 20 }, () => mark),
    ),
  ]);

/** The marks of the media data of a piece. */
const marksOf = (bytes: Uint8Array): number[] =>
  boxesAt(bytes, ['mdat']).map(({ bodyStart }) => viewOf(bytes).getUint8(bodyStart));

const RECORDING = Buffer.concat([
  INIT,
  fragment(0, 60, true, 1),
  fragment(60_000, 60, true, 2),
  fragment(120_000, 24, false, 3),
  fragment(144_000, 60, true, 4),
]);

describe('the recordings of a MediaRecorder', () => {
  test('recording cutter: pieces begin with a keyframe and have the header', () => {
    const cutter = new RecordingCutter();
    const pieces = [...cutter.push(Uint8Array.from(RECORDING)), ...cutter.finish()];
    assert.deepEqual(
      pieces.map(({ bytes }) => marksOf(bytes)),
      [[1], [2, 3], [4]],
    );
    assert.deepEqual(
      pieces.map(({ startSeconds, durationSeconds }) => [startSeconds, durationSeconds]),
      [
        [0, 2],
        [2, 2.8],
        [4.8, 2],
      ],
    );
    for (const { bytes } of pieces)
      assert.deepEqual(bytes.subarray(0, INIT.length), new Uint8Array(INIT));
  });

  test('recording cutter: wherever the chunks are cut, the pieces are the same', () => {
    const whole = new RecordingCutter();
    const expected = [...whole.push(Uint8Array.from(RECORDING)), ...whole.finish()];
    fc.assert(
      fc.property(fc.array(fc.nat(RECORDING.length), { maxLength: 12 }), (cuts) => {
        const cutter = new RecordingCutter();
        const at = [0, ...cuts.toSorted((a, b) => a - b), RECORDING.length];
        const pieces = at.flatMap((start, index) =>
          cutter.push(Uint8Array.from(RECORDING.subarray(start, at[index + 1] ?? start))),
        );
        assert.deepEqual([...pieces, ...cutter.finish()], expected);
      }),
    );
  });

  test('recording cutter: what precedes the first keyframe is left out', () => {
    const cutter = new RecordingCutter();
    const bytes = Buffer.concat([INIT, fragment(0, 9, false, 1), fragment(9000, 9, true, 2)]);
    cutter.push(Uint8Array.from(bytes));
    assert.deepEqual(
      cutter.finish().map((piece) => marksOf(piece.bytes)),
      [[2]],
    );
    assert.deepEqual(cutter.finish(), []);
  });

  test('recording cutter: sizes and counts that cannot be are errors, whatever the bytes', () => {
    assert.throws(() => new RecordingCutter().push(new Uint8Array(16)), /size of 0 bytes/);
    const many = box(
      'moof',
      box(
        'traf',
        fullBox('tfhd', 0, 0, u32(VIDEO_ID)),
        fullBox('tfdt', 1, 0, u64(0)),
        fullBox('trun', 0, 0x100, u32(0xffff_ffff)),
      ),
    );
    const cutter = new RecordingCutter();
    assert.throws(() => cutter.push(Uint8Array.from(Buffer.concat([INIT, many]))), /4294967295/);
    fc.assert(
      fc.property(fc.nat(RECORDING.length - 1), fc.nat(255), (at, value) => {
        const bytes = Uint8Array.from(RECORDING);
        bytes[at] = value;
        const one = new RecordingCutter();
        try {
          one.push(bytes);
          one.finish();
        } catch (error) {
          assert.ok(error instanceof Error && !(error instanceof TypeError), String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});
