import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { h264, picture, sound } from '../support/media-inputs.ts';
import { type CutFile, cutFile, packetsOf, picturesOf } from '../support/whole-file.ts';

const SHIFT_TICKS = 900_000;
/** Of AAC at 48 kHz. */
const PACKET_TICKS = 1920;

const languages = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fra'];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rivulet-file-'));
  await ffmpeg([
    ...[...picture(6), ...sound(6), ...sound(6, 880, 44_100)],
    ...['-map', '0', '-map', '1', '-map', '2', ...h264(), '-c:a', 'aac', ...languages],
    at('film.mp4'),
  ]);
  const copy = ['-i', at('film.mp4'), '-map', '0', '-c', 'copy'];
  const [front, fragments] = [at('front.mp4'), at('fragments.mp4')];
  await ffmpeg([
    ...[...copy, '-movflags', '+faststart', front, ...copy.slice(2), at('film.mov')],
    ...[...copy.slice(2), '-movflags', '+frag_keyframe+empty_moov+delay_moov', fragments],
    ...[...copy.slice(2), at('film.mkv'), ...copy.slice(2), at('film.ts')],
  ]);
});
after(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** Frames of all segments by their times, and the packets of each audio track. */
async function contentsOf({ segments }: CutFile) {
  const media = await Promise.all(segments.map(({ bytes }) => demuxSegment(bytes)));
  const frames = media.flatMap(({ video }) => video?.frames ?? []);
  const tracks = Math.max(...media.map(({ audio }) => audio.length));
  return {
    frames: frames.map(({ ptsTicks }) => ptsTicks - SHIFT_TICKS).sort((a, b) => a - b),
    audio: Array.from({ length: tracks }, (_, index) =>
      media.flatMap(({ audio }) => audio[index]?.packets ?? []),
    ),
  };
}

const md5 = (bytes: Uint8Array): string => `MD5:${createHash('md5').update(bytes).digest('hex')}`;

/** Every frame once, at its time, and every packet of the sound, byte for byte. */
async function assertEqualsFile(name: string, cut: CutFile, audioTracks = 1): Promise<void> {
  const contents = await contentsOf(cut);
  const video = await packetsOf(at(name));
  assert.deepEqual(
    contents.frames,
    video.map(({ pts }) => pts),
  );
  assert.equal(contents.audio.length, audioTracks);
  for (const [index, packets] of contents.audio.entries()) {
    const source = await packetsOf(at(name), `a:${index}`);
    assert.deepEqual(
      packets.map(({ bytes }) => md5(bytes)),
      source.map(({ hash }) => hash),
      `audio track ${index}`,
    );
  }
}

const lengthsOf = ({ segments }: CutFile): number[] =>
  segments.map(({ startSeconds, endSeconds }) => Number((endSeconds - startSeconds).toFixed(3)));

describe('a whole file is cut at its keyframes', () => {
  test('MP4: every frame once at its time, every audio packet of every language, nothing else', async () => {
    const cut = await cutFile(at('film.mp4'));
    assert.deepEqual(lengthsOf(cut), [2.002, 2.002, 2.002]);
    assert.deepEqual(
      cut.segments.map(({ inspection }) => inspection?.facts.audio.map(({ language }) => language)),
      Array.from({ length: 3 }, () => ['en', 'fr']),
    );
    assert.deepEqual(cut.opened.foreign, { video: false, audio: false });
    await assertEqualsFile('film.mp4', cut, 2);
  });

  test('an hour of it: every frame and every audio packet, without a step between segments', async () => {
    await ffmpeg([...sound(60), '-c:a', 'aac', at('minute.m4a')]);
    const pictures = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=2:d=3600'];
    const looped = ['-stream_loop', '59', '-i', at('minute.m4a'), '-c:a', 'copy'];
    const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20'];
    await ffmpeg([...pictures, ...looped, ...encoding, '-t', '3600', at('hour.mp4')]);
    const cut = await cutFile(at('hour.mp4'), { targetSeconds: 10 });
    assert.equal(cut.segments.length, 360);
    const facts = cut.segments.map(({ inspection }) => inspection?.facts ?? assert.fail());
    assert.deepEqual(
      facts.slice(1).map(({ startTicks }) => startTicks),
      facts.slice(0, -1).map(({ endTicks }) => endTicks),
    );
    await assertEqualsFile('hour.mp4', cut);
  });

  test('each segment decodes by itself, to the very pictures of the file', async () => {
    const { segments } = await cutFile(at('film.mp4'));
    const pictures: string[] = [];
    for (const [index, { bytes }] of segments.entries()) {
      await writeFile(at(`segment-${index}.mp4`), bytes);
      pictures.push(...(await picturesOf(at(`segment-${index}.mp4`))));
    }
    assert.deepEqual(pictures, await picturesOf(at('film.mp4')));
    assert.equal(pictures.length, 180);
  });

  test('with its index at the end or in front, as QuickTime, as fragments and as Matroska it is cut alike', async () => {
    const expected = (await contentsOf(await cutFile(at('film.mp4')))).audio.map((packets) =>
      packets.map(({ bytes }) => md5(bytes)),
    );
    for (const name of ['front.mp4', 'fragments.mp4', 'film.mov', 'film.mkv']) {
      const cut = await cutFile(at(name));
      assert.deepEqual(lengthsOf(cut), [2.002, 2.002, 2.002], name);
      const { frames, audio } = await contentsOf(cut);
      assert.equal(frames.length, 180, name);
      assert.deepEqual(
        audio.map((packets) => packets.map(({ bytes }) => md5(bytes))),
        expected,
        name,
      );
      const known = cut.segments[0]?.inspection?.facts.audio.map(({ language }) => language);
      assert.deepEqual(known, ['en', 'fr'], name);
    }
  });

  test('MPEG-TS: times go on from wherever they begin, languages are kept', async () => {
    const cut = await cutFile(at('film.ts'));
    const { frames, audio } = await contentsOf(cut);
    const source = await packetsOf(at('film.ts'));
    assert.deepEqual(
      frames,
      source.map(({ pts }) => pts),
    );
    assert.deepEqual(
      audio.map(({ length }) => length),
      await Promise.all([0, 1].map(async (i) => (await packetsOf(at('film.ts'), `a:${i}`)).length)),
    );
    const known = cut.segments[0]?.inspection?.facts.audio.map(({ language }) => language);
    assert.deepEqual(known, ['en', 'fr']);
  });

  test('WebM: VP9 and Opus as they are', async () => {
    await ffmpeg([
      ...[...picture(4, '25'), ...sound(4), '-c:v', 'libvpx-vp9', '-deadline', 'realtime'],
      ...['-cpu-used', '8', '-g', '50', '-c:a', 'libopus', at('film.webm')],
    ]);
    const cut = await cutFile(at('film.webm'));
    assert.deepEqual(lengthsOf(cut), [2, 2]);
    await assertEqualsFile('film.webm', cut);
    // ffprobe tells times without the encoder's delay.
    const [, second] = await packetsOf(at('film.webm'), 'a:0');
    const { audio } = await contentsOf(cut);
    const startTicks = (audio[0]?.[1]?.startTicks ?? 0) - SHIFT_TICKS;
    assert.ok(Math.abs(startTicks - (second?.pts ?? 0)) <= 90, `${startTicks} ${second?.pts}`);
  });

  test('a step that goes on gives the segments that one run gives', async () => {
    for (const name of ['film.mp4', 'film.mkv', 'film.ts']) {
      const { segments } = await cutFile(at(name));
      const [first] = segments;
      const rest = await cutFile(at(name), { fromSeconds: first?.endSeconds ?? 0 });
      assert.deepEqual(
        rest.segments.map(({ bytes }) => md5(bytes)),
        segments.slice(1).map(({ bytes }) => md5(bytes)),
        name,
      );
    }
  });

  test('a variable frame rate, open GOPs, and frames that an edit list hides', async () => {
    await ffmpeg([
      ...[...picture(6, '30'), ...sound(6), '-vf', "select='not(mod(n,7))+gt(sin(n),0)'"],
      ...['-fps_mode', 'vfr', ...h264('-x264-params', 'open-gop=1'), '-c:a', 'aac', at('vfr.mp4')],
    ]);
    const cut = await cutFile(at('vfr.mp4'));
    await assertEqualsFile('vfr.mp4', cut);
    await ffmpeg(['-ss', '1.5', '-i', at('film.mp4'), '-c', 'copy', at('edited.mp4')]);
    const { frames, audio } = await contentsOf(await cutFile(at('edited.mp4')));
    const shown = (await packetsOf(at('edited.mp4'))).filter(({ pts }) => pts >= 0);
    const [first = 0] = frames;
    assert.deepEqual(
      frames.map((ticks) => ticks - first),
      shown.map(({ pts }) => pts - (shown[0]?.pts ?? 0)),
    );
    const sounds = await packetsOf(at('edited.mp4'), 'a:0');
    const heard = sounds.findIndex(({ pts }) => pts + PACKET_TICKS > 1);
    assert.ok(heard > 1, `${heard}`);
    const kept = sounds.slice(heard - 1).map(({ hash }) => hash);
    assert.deepEqual(
      audio[0]?.map(({ bytes }) => md5(bytes)),
      kept,
    );
  });

  test('a picture that is turned has the size that it is shown with', async () => {
    const turned = ['-metadata:s:v:0', 'rotate=90', '-c', 'copy', at('turned.mp4')];
    await ffmpeg(['-i', at('film.mp4'), ...turned]);
    const { segments } = await cutFile(at('turned.mp4'));
    const { widthPx, heightPx } = segments[0]?.inspection?.facts.video ?? {};
    assert.deepEqual([widthPx, heightPx], [180, 320]);
  });

  test('an interlaced picture of MPEG-TS has the size that it is shown with', async () => {
    const interlaced = ['-vf', 'setsar=4/3', '-flags', '+ildct+ilme', '-x264-params', 'tff=1'];
    const name = at('interlaced.ts');
    await ffmpeg([...picture(1, '25'), ...interlaced, ...h264('-pix_fmt', 'yuv420p'), name]);
    const { segments } = await cutFile(name);
    const { widthPx, heightPx, frames } = segments[0]?.inspection?.facts.video ?? {};
    assert.deepEqual([widthPx, heightPx, frames], [427, 180, 25]);
  });

  test('sound alone, and sound that goes on behind the picture', async () => {
    await ffmpeg([...sound(5), '-c:a', 'aac', at('sound.mp4')]);
    const alone = await contentsOf(await cutFile(at('sound.mp4')));
    assert.equal(alone.audio[0]?.length, (await packetsOf(at('sound.mp4'), 'a:0')).length);
    await ffmpeg([...picture(2, '25'), ...sound(5), ...h264(), '-c:a', 'aac', at('longer.mp4')]);
    const cut = await cutFile(at('longer.mp4'));
    await assertEqualsFile('longer.mp4', cut);
    assert.deepEqual(
      cut.segments.map(({ inspection }) => inspection?.facts.video?.frames),
      [50, undefined, undefined],
    );
  });
});

describe('a whole file that segments cannot carry is encoded first', () => {
  test('AVI with MPEG-4 and PCM: every frame at its time, as many samples as there were', async () => {
    const codecs = ['-c:v', 'mpeg4', '-q:v', '3', '-c:a', 'pcm_s16le'];
    await ffmpeg([...picture(4, '25'), ...sound(4), ...codecs, at('film.avi')]);
    const cut = await cutFile(at('film.avi'));
    const { frames, audio } = await contentsOf(cut);
    assert.deepEqual(
      frames,
      Array.from({ length: 100 }, (_, index) => index * 3600),
    );
    // 192,000 samples, and the priming of the encoder in front of them.
    assert.equal(audio[0]?.length, 1 + Math.ceil(192_000 / 1024));
    assert.deepEqual(lengthsOf(cut), [2, 2]);
  });

  test('ProRes and PCM, VP8 and Vorbis, MPEG-2 and MP2: every frame', async () => {
    for (const [name, ...codecs] of [
      ['prores.mov', '-c:v', 'prores_ks', '-c:a', 'pcm_s16le'],
      ['vp8.webm', '-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libvorbis'],
      ['mpeg2.ts', '-c:v', 'mpeg2video', '-bf', '2', '-c:a', 'mp2'],
    ] as const) {
      await ffmpeg([...picture(1, '25'), ...sound(1), ...codecs, at(name)]);
      const { frames, audio } = await contentsOf(await cutFile(at(name)));
      assert.equal(frames.length, 25, name);
      const samples = 1024 * (audio[0]?.length ?? 0);
      assert.ok(samples >= 48_000 && samples < 48_000 + 3 * 1152, `${name}: ${samples}`);
    }
  });

  test('sound whose channels AAC has no name for: as the nearest that it has', async () => {
    const sides = 'pan=5.1(side)|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0';
    await ffmpeg([
      ...picture(1),
      ...sound(1),
      ...h264(),
      '-c:a',
      'pcm_s16le',
      '-af',
      sides,
      at('side.mov'),
    ]);
    await ffmpeg([...sound(1, 440, 32_000), '-ac', '2', '-c:a', 'libspeex', at('speex.mkv')]);
    for (const [name, channels, rate] of [
      ['side.mov', 6, 48_000],
      ['speex.mkv', 2, 32_000],
    ] as const) {
      const { segments } = await cutFile(at(name));
      const sounds = segments[0]?.inspection?.facts.audio;
      const found = sounds?.map((one) => [one.codec, one.channels, one.sampleRateHz]);
      assert.deepEqual(found, [['aac', channels, rate]], name);
    }
  });

  test('sound alone, where the picture can be copied', async () => {
    const codecs = ['-c:v', 'copy', '-map', '0:v', '-map', '0:a', '-c:a', 'libvorbis'];
    await ffmpeg(['-i', at('film.mp4'), ...codecs, at('vorbis.mkv')]);
    const cut = await cutFile(at('vorbis.mkv'));
    assert.deepEqual(cut.opened.foreign, { video: false, audio: true });
    const { frames } = await contentsOf(cut);
    assert.equal(frames.length, 180);
    const hashes = cut.segments.map(({ inspection }) => inspection?.facts.audio.length);
    assert.deepEqual(hashes, [2, 2, 2]);
  });
});

describe('a transport stream', () => {
  test('whose sound is DTS or AAC in LATM: the sound is encoded, the picture copied', async () => {
    for (const [name, ...codec] of [
      ['dts.ts', '-c:a', 'dca', '-strict', '-2'],
      ['latm.ts', '-c:a', 'aac', '-mpegts_flags', 'latm'],
    ] as const) {
      await ffmpeg([
        '-i',
        at('film.ts'),
        '-map',
        '0:v',
        '-map',
        '0:a:0',
        '-c:v',
        'copy',
        ...codec,
        at(name),
      ]);
      const cut = await cutFile(at(name));
      assert.deepEqual(cut.opened.foreign, { video: false, audio: true }, name);
      const { frames, audio } = await contentsOf(cut);
      assert.equal(frames.length, 180, name);
      assert.equal(Math.round(((audio[0]?.length ?? 0) * 1024) / 48_000), 6, name);
    }
  });
});
