import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { inspectInit, inspectSegment } from '../../lib/media/inspect.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-inspect-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SHORT = { seconds: 4 } as const;

async function inspectSecond(options: ClipOptions) {
  const clip = await makeSegments({ ...SHORT, ...options });
  const bytes = clip.segments[1]?.bytes ?? assert.fail('one segment only');
  return { ...(await inspectSegment(bytes, clip.init)), bytes, clip };
}

type Probed = Readonly<{ startTicks: number; lastTicks: number; packets: number }>;

/** What ffprobe says of a transport stream. */
function probeTs(bytes: Uint8Array, type: 'v' | 'a'): Probed {
  const path = join(folder, 'probe.ts');
  writeFileSync(path, bytes);
  const args = ['-v', 'error', '-select_streams', `${type}:0`, '-show_entries', 'packet=pts'];
  const lines = execFileSync('ffprobe', [...args, '-of', 'csv=p=0', path])
    .toString()
    .split('\n');
  const times = lines.flatMap((line) => (/^\d/.test(line) ? [Number.parseInt(line, 10)] : []));
  return { startTicks: Math.min(...times), lastTicks: Math.max(...times), packets: times.length };
}

describe('inspection of a segment:', () => {
  test('MPEG-TS has the times, packets and codecs that ffprobe finds', async () => {
    for (const audio of ['aac', 'mp3', 'ac3', 'eac3'] as const) {
      const { facts, bytes } = await inspectSecond({
        audio,
        rate: '30000/1001',
        audioRate: 44_100,
      });
      const video = facts.video ?? assert.fail();
      const videoPackets = probeTs(bytes, 'v');
      assert.equal(video.startTicks, videoPackets.startTicks);
      assert.equal(video.endTicks, videoPackets.lastTicks + 3003);
      assert.equal(video.frames, videoPackets.packets);
      assert.equal(video.framesPerSecond, 30_000 / 1001);
      assert.deepEqual([video.codec, video.widthPx, video.heightPx], ['avc', 320, 180]);
      assert.match(video.codecString, /^avc1\.[0-9a-f]{6}$/);
      const [track] = facts.audio;
      const audioPackets = probeTs(bytes, 'a');
      assert.equal(track?.startTicks, audioPackets.startTicks);
      assert.equal(track?.packets, audioPackets.packets);
      assert.deepEqual([track?.codec, track?.sampleRateHz, track?.channels], [audio, 44_100, 2]);
      const samples = { aac: 1024, mp3: 1152, ac3: 1536, eac3: 1536 }[audio];
      assert.equal(track?.samplesPerPacket, samples);
      const length = ((track?.packets ?? 0) * samples * TICKS_PER_SECOND) / 44_100;
      assert.ok(Math.abs((track?.endTicks ?? 0) - audioPackets.startTicks - length) <= 2);
      assert.deepEqual(
        [facts.container, facts.startTicks, facts.endTicks],
        ['ts', video.startTicks, video.endTicks],
      );
    }
  });

  test('every codec and format that is accepted has its name', async () => {
    const table: readonly (readonly [
      ClipOptions,
      string,
      string | undefined,
      string | undefined,
    ])[] = [
      [{ video: 'hevc' }, 'ts', 'hevc hev1', 'aac mp4a.40.2'],
      [{ video: 'hevc', container: 'fmp4' }, 'fmp4', 'hevc hev1', 'aac mp4a.40.2'],
      [{ video: 'vp9', audio: 'opus', container: 'fmp4' }, 'fmp4', 'vp9 vp09', 'opus opus'],
      [{ video: 'av1', audio: 'ac3', container: 'fmp4' }, 'fmp4', 'av1 av01', 'ac3 ac-3'],
      [{ audio: 'eac3', container: 'fmp4' }, 'fmp4', 'avc avc1', 'eac3 ec-3'],
      [{ audio: 'mp3', container: 'mp4' }, 'mp4', 'avc avc1', 'mp3 mp3'],
      [{ container: 'mp4-faststart' }, 'mp4', 'avc avc1', 'aac mp4a.40.2'],
      [{ audio: 'none' }, 'ts', 'avc avc1', undefined],
      [{ video: 'none' }, 'ts', undefined, 'aac mp4a.40.2'],
      [{ audio: 'mp2' }, 'ts', 'avc avc1', 'mp3 mp4a.40.33'],
    ];
    for (const [options, container, video, audio] of table) {
      const { facts } = await inspectSecond(options);
      const named = (codec?: string, text?: string) =>
        codec &&
        text &&
        `${codec} ${codec === 'aac' || codec === 'mp3' ? text : text.split('.')[0]}`;
      assert.equal(facts.container, container);
      assert.equal(named(facts.video?.codec, facts.video?.codecString), video);
      assert.equal(named(facts.audio[0]?.codec, facts.audio[0]?.codecString), audio);
      assert.equal(facts.video?.startsClosed ?? true, true);
    }
  });

  test('a segment that refers to the one before does not start closed', async () => {
    for (const options of [
      { openGop: true },
      { openGop: true, video: 'hevc' },
      { openGop: true, video: 'hevc', container: 'fmp4' },
    ] as const) {
      const { facts, clip } = await inspectSecond({ ...options, audio: 'none' });
      const first = await inspectSegment(clip.segments[0]?.bytes ?? assert.fail(), clip.init);
      assert.deepEqual([first.facts.video?.startsClosed, facts.video?.startsClosed], [true, false]);
    }
  });

  test('frames that are shown in another order than they are decoded in are noted', async () => {
    const ordered = await inspectSecond({ bFrames: 0, audio: 'none' });
    const reordered = await inspectSecond({ bFrames: 2, audio: 'none' });
    const found = [ordered, reordered].map(({ facts }) => facts.video?.isReordered);
    assert.deepEqual(found, [undefined, true]);
  });

  test('frames that are shown before the first in decode order are noted, if they need the segment before or not', async () => {
    const { facts: closed } = await inspectSecond({ audio: 'none' });
    const { facts: open } = await inspectSecond({ audio: 'none', openGop: true });
    const radl = ['-x265-params', 'open-gop=0:radl=2:bframes=3:scenecut=0:log-level=none'];
    const { facts: led } = await inspectSecond({ audio: 'none', video: 'hevc', videoArgs: radl });
    assert.deepEqual(
      [closed, open, led].map(({ video }) => [video?.startsClosed, video?.isLed]),
      [
        [true, undefined],
        [false, true],
        [true, true],
      ],
    );
  });

  test('rotation, pixel aspect and interlacing are applied to the size', async () => {
    const odd = 'format=yuv444p,crop=853:479:exact=1';
    const interlaced = ['-flags', '+ildct+ilme', '-x264opts', 'tff=1'];
    const table: readonly (readonly [ClipOptions, number, number])[] = [
      [{ size: '240x180', filter: 'setsar=4/3' }, 320, 180],
      [{ size: '180x320' }, 180, 320],
      [{ size: '854x480', filter: odd, videoArgs: ['-pix_fmt', 'yuv444p'] }, 853, 479],
      [{ rate: '50', keyframeSeconds: 1, filter: 'interlace', videoArgs: interlaced }, 320, 180],
    ];
    for (const [options, width, height] of table) {
      const { facts } = await inspectSecond({ ...options, audio: 'none' });
      assert.deepEqual([facts.video?.widthPx, facts.video?.heightPx], [width, height]);
    }
    const turned = join(folder, 'turned.mp4');
    const [first] = (await makeSegments({ seconds: 2, audio: 'none', container: 'mp4' })).segments;
    writeFileSync(join(folder, 'flat.mp4'), first?.bytes ?? assert.fail());
    await ffmpeg([
      '-i',
      join(folder, 'flat.mp4'),
      '-c',
      'copy',
      '-metadata:s:v',
      'rotate=90',
      turned,
    ]);
    const { facts } = await inspectSegment(readFileSync(turned));
    assert.deepEqual([facts.video?.widthPx, facts.video?.heightPx], [180, 320]);
  });

  test('times go on counting where the 33-bit clock wraps inside a segment', async () => {
    const clip = await makeSegments({ seconds: 8, offsetSeconds: 95_440.5 });
    const all = await Promise.all(clip.segments.map(({ bytes }) => inspectSegment(bytes)));
    const wrapping = all.find(({ facts }) => facts.endTicks > 2 ** 33) ?? assert.fail('none wraps');
    assert.ok(wrapping.facts.startTicks < 2 ** 33);
    assert.equal(wrapping.facts.endTicks - wrapping.facts.startTicks, 180_000);
    assert.equal(wrapping.facts.video?.frames, 60);
    const [track] = wrapping.facts.audio;
    assert.ok(Math.abs((track?.endTicks ?? 0) - wrapping.facts.endTicks) < 45_000);
  });

  test('the pre-roll has the packets that the next job needs, and none of audio that is copied', async () => {
    const table: readonly (readonly [ClipOptions, number])[] = [
      [{}, 0],
      [{ audio: 'mp3' }, 12],
      [{ audio: 'ac3' }, 7],
      [{ audio: 'opus', container: 'fmp4' }, 16],
      [{ channels: 6 }, 8],
    ];
    for (const [options, count] of table) {
      const { preroll, bytes } = await inspectSecond(options);
      assert.equal(preroll[0]?.packets.length ?? 0, count);
      if (count === 0 || options.container === 'fmp4' || options.audio === 'mp3') continue;
      const last = Buffer.from(preroll[0]?.packets.at(-1) ?? '', 'base64');
      assert.ok(last.length > 100);
      assert.equal(Buffer.from(bytes).includes(last.subarray(0, 40)), true);
    }
  });
});

describe('inspection of an init segment:', () => {
  const codeOf = (bytes: Uint8Array): Promise<string> =>
    inspectInit(bytes).then(
      () => 'accepted',
      (error) => (error instanceof DomainError ? error.code : String(error)),
    );

  test('one with tracks of known codecs is accepted', async () => {
    const { init } = await makeSegments({ ...SHORT, container: 'fmp4' });
    assert.equal(await codeOf(init ?? assert.fail()), 'accepted');
  });

  test('other bytes and damaged or foreign tracks are refused', async () => {
    const { init = assert.fail() } = await makeSegments({ ...SHORT, container: 'fmp4' });
    assert.equal(await codeOf(new Uint8Array(0)), 'empty_body');
    assert.equal(await codeOf(new TextEncoder().encode('#EXTM3U\n')), 'unsupported_media');
    assert.equal(await codeOf((await inspectSecond({})).bytes), 'unsupported_media');
    assert.equal(await codeOf(init.subarray(0, 60)), 'undecodable');
    const foreign = new Uint8Array(init);
    foreign.set(Buffer.from('mp4v'), Buffer.from(init).indexOf('avc1'));
    assert.equal(await codeOf(foreign), 'accepted', 'one readable track is enough');
    foreign.set(Buffer.from('alac'), Buffer.from(init).indexOf('mp4a'));
    assert.equal(await codeOf(foreign), 'unsupported_media');
    const broken = new Uint8Array(init);
    broken.set(Buffer.from('junk'), Buffer.from(init).indexOf('trak'));
    broken.set(Buffer.from('junk'), Buffer.from(broken).indexOf('trak'));
    assert.equal(await codeOf(broken), 'undecodable');
  });
});
