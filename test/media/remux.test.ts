import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { boxesAt, boxesIn, viewOf } from '../../lib/media/iso-boxes.ts';
import { remuxRenditions, remuxSource } from '../../lib/media/mux/remux.ts';
import { makeSegments } from '../support/media.ts';
import { type SegmentRun, transcodeRun, workFolder } from './segment-run.ts';

type Decoded = Readonly<{
  codec_name: string;
  start_time: string;
  duration: string;
  nb_read_frames: string;
  tags?: Readonly<{ language?: string }>;
}>;

/** Decodes everything: what a player would get. */
function decodeAll(bytes: Uint8Array, name: string): Decoded[] {
  const path = join(workFolder, name);
  writeFileSync(path, bytes);
  const entries = 'stream=codec_name,start_time,duration,nb_read_frames:stream_tags=language';
  const args = ['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'json', path];
  return (JSON.parse(execFileSync('ffprobe', args).toString()) as { streams: Decoded[] }).streams;
}

type Format = 'mp4' | 'mov' | 'ts';

/** The segment of an index, of renditions that have its neighbours beside it. */
function packaged({ results }: SegmentRun, index: number, format: Format) {
  const { startTicks, durationTicks, ...segment } = results.at(index) ?? assert.fail();
  const { '180p': video, audio } = segment.pieces[0]?.renditions ?? {};
  const near = results.slice(Math.max(0, index - 1), index + 2);
  const media = near.flatMap(({ pieces }) => pieces[0]?.renditions.audio?.media ?? []);
  return remuxRenditions({
    video,
    audio: audio ? [{ init: audio.init, media, language: 'de-AT' }] : [],
    bounds: { startTicks, endTicks: startTicks + durationTicks },
    format,
  });
}

describe('a segment packaged from its renditions:', () => {
  let run: SegmentRun;
  before(async () => {
    run = await transcodeRun(
      await makeSegments({ seconds: 6, rate: '30000/1001', audioRate: 44_100 }),
    );
  });
  const segment = () => run.results[1] ?? assert.fail();

  for (const format of ['mp4', 'mov'] as const) {
    test(`${format} begins at 0, and picture and sound end together`, async () => {
      const bytes = await packaged(run, 1, format);
      const [video = assert.fail(), audio = assert.fail()] = decodeAll(bytes, `packaged.${format}`);
      assert.deepEqual([video.codec_name, audio.codec_name], ['h264', 'aac']);
      assert.equal(audio.tags?.language, 'deu');
      assert.equal(video.nb_read_frames, '60');
      assert.deepEqual([video.start_time, audio.start_time], ['0.000000', '0.000000']);
      const seconds = segment().durationTicks / TICKS_PER_SECOND;
      assert.ok(Math.abs(Number(video.duration) - seconds) < 0.000_02, video.duration);
      assert.ok(Math.abs(Number(audio.duration) - seconds) < 0.000_02, audio.duration);
      const order = [...boxesIn(bytes)].map(({ type }) => type);
      assert.ok(order.indexOf('moov') < order.indexOf('mdat'), order.join());
    });
  }

  test('ts keeps its times, and each packet of sound is in one of two neighbours', async () => {
    const { startTicks, durationTicks } = segment();
    const parts = await Promise.all([0, 1, 2].map((index) => packaged(run, index, 'ts')));
    const [video, audio] = decodeAll(parts[1] ?? assert.fail(), 'packaged.ts');
    assert.equal(audio?.tags?.language, 'deu');
    assert.equal(video?.nb_read_frames, '60');
    const { facts } = await inspectSegment(parts[1] ?? assert.fail());
    assert.equal(facts.startTicks, startTicks);
    assert.ok(Math.abs(facts.endTicks - startTicks - durationTicks) <= 1);
    const ends = [facts.audio[0]?.startTicks ?? 0, facts.audio[0]?.endTicks ?? 0];
    const bounds = [startTicks, startTicks + durationTicks];
    // Half a frame of AAC at 44.1 kHz.
    for (const [index, end] of ends.entries()) {
      assert.ok(Math.abs(end - (bounds[index] ?? 0)) <= 1045, `${ends} ${bounds}`);
    }
    const starts = await Promise.all(
      parts.map(async (bytes) => (await inspectSegment(bytes)).facts.audio[0]),
    );
    for (const [index, { startTicks: start = 0 } = assert.fail()] of starts.slice(1).entries()) {
      assert.ok(Math.abs(start - (starts[index]?.endTicks ?? 0)) <= 1);
    }
  });

  test('ts decodes no frame after it is shown, and has a clock that runs ahead of both', async () => {
    const bytes = Buffer.from(await packaged(run, 1, 'ts'));
    const path = join(workFolder, 'clock.ts');
    writeFileSync(path, bytes);
    const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts,dts'];
    const printed = execFileSync('ffprobe', [...args, '-of', 'csv=p=0', path]).toString();
    const frames = Array.from(printed.matchAll(/^(\d+),(\d+)/gm), (found) =>
      found.slice(1).map(Number),
    );
    assert.equal(frames.length, 60);
    for (const [index, [pts = 0, dts = 0]] of frames.entries()) {
      assert.ok(dts <= pts, `frame ${index} is decoded at ${dts}, and shown at ${pts}`);
      assert.ok(dts > (frames[index - 1]?.[1] ?? 0));
    }
    const clock: number[] = [];
    for (let at = 0; at < bytes.length; at += 188) {
      const hasField = (bytes[at + 3] ?? 0) & 0x20 && (bytes[at + 4] ?? 0) > 0;
      const hasClock = hasField && (bytes[at + 5] ?? 0) & 0x10;
      if (hasClock) clock.push(bytes.readUInt32BE(at + 6) * 2 + ((bytes[at + 10] ?? 0) >> 7));
    }
    assert.equal(clock[0], (frames[0]?.[1] ?? 0) - 45_000);
    for (const [index, ticks] of clock.slice(1).entries()) {
      const step = ticks - (clock[index] ?? 0);
      assert.ok(step > 0 && step <= 9000, 'a tenth of a second at most');
    }
  });

  test('timestamps in MPEG-TS are modulo 2^33 where the timeline is longer', async () => {
    const late = await transcodeRun(await makeSegments({ seconds: 8, offsetSeconds: 95_440.5 }));
    const last = late.results.at(-1) ?? assert.fail();
    assert.ok(last.startTicks > 2 ** 33);
    const { facts } = await inspectSegment(await packaged(late, 3, 'ts'));
    assert.equal(facts.startTicks, last.startTicks % 2 ** 33);
    assert.equal(facts.endTicks - facts.startTicks, last.durationTicks);
    assert.ok(Math.abs((facts.audio[0]?.startTicks ?? 0) - facts.startTicks) < 2000);
  });

  test('it may have audio alone', async () => {
    const sound = await transcodeRun(await makeSegments({ seconds: 6, video: 'none' }));
    const { durationTicks } = sound.results[1] ?? assert.fail();
    const [audio] = decodeAll(await packaged(sound, 1, 'mp4'), 'audio.mp4');
    assert.equal(audio?.codec_name, 'aac');
    assert.ok(Math.abs(Number(audio?.duration) - durationTicks / TICKS_PER_SECOND) < 0.000_02);
  });
});

/** Of a track header: by 90 degrees, clockwise (ISO/IEC 14496-12, 8.3.2). */
const TURNED = [0, 0x10000, 0, 0xffff0000, 0] as const;

function matrixAt(bytes: Uint8Array): number {
  const [header = assert.fail()] = boxesAt(bytes, ['moov', 'trak', 'tkhd']);
  return header.bodyStart + (bytes[header.bodyStart] === 1 ? 52 : 40);
}

function turnPicture(init: Uint8Array): void {
  const at = matrixAt(init);
  for (const [index, value] of TURNED.entries()) viewOf(init).setUint32(at + 4 * index, value);
}

const matrixOf = (bytes: Uint8Array): number[] =>
  TURNED.map((_, index) => viewOf(bytes).getUint32(matrixAt(bytes) + 4 * index));

describe('a remuxed source segment:', () => {
  test('it keeps its frames, packets and times in each format', async () => {
    for (const container of ['ts', 'fmp4', 'mp4'] as const) {
      const { segments, init } = await makeSegments({ seconds: 4, container });
      const bytes = segments[1]?.bytes ?? assert.fail();
      const source = { bytes, ...(init ? { init } : {}) };
      const { facts: before } = await inspectSegment(bytes, init);
      for (const format of ['mp4', 'mov', 'ts'] as const) {
        const { facts } = await inspectSegment(await remuxSource({ ...source, format }));
        assert.equal(facts.container, format === 'mov' ? 'mp4' : format);
        assert.equal(facts.video?.frames, before.video?.frames);
        // In MP4 and MOV the sound begins with the picture.
        const lost = (before.audio[0]?.packets ?? 0) - (facts.audio[0]?.packets ?? 0);
        const ledTicks = before.startTicks - (before.audio[0]?.startTicks ?? 0);
        assert.ok(format === 'ts' ? lost === 0 : Math.abs(lost * 1920 - ledTicks) <= 1920);
        const startTicks = format === 'ts' ? before.startTicks : 0;
        assert.ok(Math.abs(facts.startTicks - startTicks) <= 1, `${container} ${format}`);
      }
    }
    const [first = assert.fail()] = (await makeSegments({ seconds: 4 })).segments;
    assert.deepEqual(await remuxSource({ bytes: first.bytes, format: 'ts' }), first.bytes);
  });

  test('it holds the tracks that are asked for, with their languages', async () => {
    for (const container of ['ts', 'fmp4'] as const) {
      const clip = await makeSegments({ seconds: 4, container, languages: ['eng', 'deu'] });
      const bytes = clip.segments[1]?.bytes ?? assert.fail();
      const source = { bytes, ...(clip.init ? { init: clip.init } : {}) };
      const { trackId } = (await inspectSegment(bytes, clip.init)).facts.audio[1] ?? assert.fail();
      for (const format of ['mp4', 'mov', 'ts'] as const) {
        const audio = [{ trackId, language: 'de' }];
        const made = decodeAll(await remuxSource({ ...source, audio, format }), `one.${format}`);
        assert.deepEqual(
          made.map(({ codec_name, tags }) => [codec_name, tags?.language ?? 'und']),
          [
            ['h264', 'und'],
            ['aac', 'deu'],
          ],
          `${container} ${format}`,
        );
      }
    }
  });

  test('H.265 and AC-3 decode in MPEG-TS, at the times that they had', async () => {
    const options = { video: 'hevc', audio: 'ac3', container: 'fmp4' } as const;
    const { segments, init = assert.fail() } = await makeSegments({ seconds: 4, ...options });
    const source = { bytes: segments[1]?.bytes ?? assert.fail(), init };
    const { facts: before } = await inspectSegment(source.bytes, init);
    const bytes = await remuxSource({ ...source, format: 'ts' });
    const { facts } = await inspectSegment(bytes);
    assert.deepEqual([facts.video?.codec, facts.audio[0]?.codec], ['hevc', 'ac3']);
    assert.equal(facts.startTicks, before.startTicks);
    assert.equal(facts.audio[0]?.packets, before.audio[0]?.packets);
    const [video] = decodeAll(bytes, 'hevc.ts');
    assert.equal(video?.nb_read_frames, String(before.video?.frames));
  });

  test('a picture that is turned is refused in MPEG-TS, and turned in MP4 and MOV', async () => {
    const { segments, init } = await makeSegments({ seconds: 4, container: 'fmp4' });
    const turned = Uint8Array.from(init ?? assert.fail());
    turnPicture(turned);
    const source = { bytes: segments[1]?.bytes ?? assert.fail(), init: turned };
    await assert.rejects(remuxSource({ ...source, format: 'ts' }), {
      code: 'unsupported_format',
      message: "The source's picture is turned by 90 degrees, which ts cannot say.",
      hint: 'Ask for format=mp4 or format=mov, or for a rendition (resolution=720p).',
    });
    for (const format of ['mp4', 'mov'] as const) {
      assert.deepEqual(matrixOf(await remuxSource({ ...source, format })), [...TURNED], format);
    }
  });

  test('VP9 and Opus are refused in MPEG-TS, and kept in MP4 and WebM', async () => {
    const clip = await makeSegments({ seconds: 4, video: 'vp9', audio: 'opus', container: 'fmp4' });
    const source = {
      bytes: clip.segments[0]?.bytes ?? assert.fail(),
      init: clip.init ?? assert.fail(),
    };
    await assert.rejects(remuxSource({ ...source, format: 'ts' }), (error) => {
      assert.ok(error instanceof DomainError);
      assert.equal(error.code, 'unsupported_format');
      assert.match(error.message, /vp9/);
      return true;
    });
    for (const format of ['mp4', 'webm'] as const) {
      const [video, audio] = decodeAll(await remuxSource({ ...source, format }), `vp9.${format}`);
      assert.deepEqual([video?.codec_name, audio?.codec_name], ['vp9', 'opus']);
    }
  });
});
