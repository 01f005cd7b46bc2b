import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import { ofPid, PIDS, pidOf, shiftClock, splitPackets } from '../support/ts-mangler.ts';
import { transcodeRun } from './segment-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-decoding-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CLIP = { seconds: 4, rate: '25', size: '128x72' } as const;

async function clipOf(options: ClipOptions = {}) {
  const { segments } = await makeSegments({ ...CLIP, ...options });
  return segments.map(({ bytes }) => splitPackets(bytes));
}

/** Times of the frames that ffmpeg decodes, in ticks. */
async function decode(format: string, bytes: Uint8Array): Promise<number[]> {
  const path = join(folder, 'input.ts');
  writeFileSync(path, bytes);
  const output = join(folder, 'frames.txt');
  await ffmpeg([
    ...['-copyts', '-f', format, '-i', path, '-map', '0:v', '-fps_mode', 'passthrough'],
    ...['-enc_time_base', '1:90000', '-c:v', 'rawvideo', '-f', 'framecrc', '-y', output],
  ]);
  return readFileSync(output, 'latin1')
    .split('\n')
    .filter((line) => /^0,/.test(line))
    .map((line) => Number(line.split(',')[2]));
}

describe('what ffmpeg decodes of a transport stream:', () => {
  test('it is the frames with their times, whatever else is in the stream', async () => {
    for (const video of ['h264', 'hevc'] as const) {
      const [, second = assert.fail()] = await clipOf({ video });
      const tail = [...second, ...ofPid(second, PIDS.audio).slice(0, 50)];
      const media = await demuxSegment(Buffer.concat([Buffer.alloc(99), ...tail]));
      const input = media.video?.decoderInput() ?? assert.fail();
      assert.equal(input.format, 'mpegts');
      assert.deepEqual(
        new Set(splitPackets(input.bytes).map(pidOf)),
        new Set([PIDS.pat, PIDS.pmt, PIDS.video]),
      );
      const expected = media.video?.frames.map(({ ptsTicks }) => ptsTicks + input.delayTicks) ?? [];
      assert.deepEqual(
        await decode(input.format, input.bytes),
        expected.sort((a, b) => a - b),
      );
    }
  });

  test('the frames of the segment before come first, also when its clock was another', async () => {
    const [first = assert.fail(), second = assert.fail()] = await clipOf({ openGop: true });
    for (const ticks of [0, 9_000_000, -200_000]) {
      const before = await demuxSegment(Buffer.concat(shiftClock(first, 0, ticks)));
      const media = await demuxSegment(Buffer.concat(second));
      const input = media.video?.decoderInput(before.video) ?? assert.fail();
      assert.equal(input.startsWithPrevious, true);
      const own = media.video?.frames.map(({ ptsTicks }) => ptsTicks + input.delayTicks) ?? [];
      const start = Math.min(...own);
      const times = await decode(input.format, input.bytes);
      assert.equal(times.filter((time) => time >= start).length, own.length);
      assert.equal(times.filter((time) => time < start).length, before.video?.frames.length);
      assert.ok(start - (times[0] ?? 0) < 3 * 90_000);
    }
  });

  test('fields of one frame are one frame', async () => {
    const interlaced = ['-flags', '+ildct+ilme', '-x264opts', 'tff=1'];
    const [, second = assert.fail()] = await clipOf({
      ...{ rate: '50', keyframeSeconds: 1, filter: 'interlace', videoArgs: interlaced },
    });
    const bytes = Buffer.concat(second);
    const media = await demuxSegment(bytes);
    assert.equal((await decode('mpegts', bytes)).length, media.video?.frames.length);
  });
});

describe('a segment whose clock steps', () => {
  for (const seconds of [100, 10, -10]) {
    test(`by ${seconds} s inside comes out with all frames and sound at continuous times`, async () => {
      const [first = assert.fail(), second = assert.fail()] = await clipOf();
      const stepped = shiftClock(first, Math.round(first.length / 2), seconds * 90_000);
      const clip = {
        segments: [stepped, shiftClock(second, 0, seconds * 90_000)].map((packets, index) => ({
          name: `${index}.ts`,
          bytes: new Uint8Array(Buffer.concat(packets)),
        })),
      };
      const { facts } = await inspectSegment(clip.segments[0]?.bytes ?? assert.fail());
      assert.equal(facts.clockStepTicks, seconds * 90_000);
      assert.deepEqual([facts.video?.frames, facts.video?.framesPerSecond], [50, 25]);
      const { renditions } = await transcodeRun(clip, { order: [0], knowsEnds: false });
      const picture = Object.values(renditions).find(({ info }) => info.kind === 'video');
      const [piece = assert.fail()] = picture?.pieces ?? [];
      const times = piece.samples.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
      assert.deepEqual(
        times.map((time) => time - (times[0] ?? 0)),
        Array.from({ length: 50 }, (_, index) => index * 3600),
      );
      assert.equal(piece.endTicks - piece.startTicks, 180_000);
      const [sound = assert.fail()] = renditions.audio?.pieces ?? [];
      const starts = sound.samples.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
      assert.ok(
        starts.every((time, index) => index === 0 || time - (starts[index - 1] ?? 0) < 1100),
      );
      assert.equal(sound.samples.length, facts.audio[0]?.packets);
    });
  }
});
