import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { launchChromium, withoutChromium } from '../support/chromium.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { decodeMoments, flashAndBeep, lipSyncOf, reorderedVideo } from '../support/lip-sync.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const run = promisify(execFile);

const RATE = 25;
const SEGMENT_SECONDS = 2;
const SECONDS = 6;
/** In the middle of three segments: it has a neighbour on each side. */
const AT = '3';
/** A frame of AAC, half of which may lie outside, or a packet of Opus. */
const SOUND_FRAME_SECONDS = 1024 / 48_000;
const TOLERANCE_SECONDS = 0.01;

const LADDER = [180, 90].map((shortSidePx) => ({
  ...{ name: `${shortSidePx}p`, shortSidePx, maxrateBps: 300_000 },
}));
const LANGUAGES = { en: 'eng', de: 'deu' } as const;
/** Only the German beep is left of it. */
const GERMAN_ALONE = 'highpass=f=2400:p=2:t=q:w=2,highpass=f=2400,highpass=f=2400';

type Language = keyof typeof LANGUAGES;
type Cell = Readonly<{ format: string; resolution: string; lang: Language }>;

const CELLS = ['mp4', 'mov', 'ts', 'webm'].flatMap((format) =>
  ['180p', '90p', 'source'].flatMap((resolution) =>
    (['en', 'de'] as const).map((lang): Cell => ({ format, resolution, lang })),
  ),
);

type Probed = Readonly<{
  streams: readonly Readonly<{
    codec_type: string;
    codec_name: string;
    height?: number;
    tags?: Readonly<{ language?: string }>;
  }>[];
  packets: readonly Readonly<{
    codec_type: string;
    pts_time: string;
    duration_time?: string;
    /** `D`: an edit list cuts it off. */
    flags: string;
  }>[];
}>;

describe('the segment at a timestamp, in each format, resolution and language', () => {
  let system: TestSystem;
  let folder = '';
  let sourceOffset = 0;
  const ends: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void ends.unshift(end) };

  before(async () => {
    system = await startTestSystem(scope);
    folder = await temporaryFolder(scope);
    const settings = { ladder: LADDER, targetDurationSeconds: SEGMENT_SECONDS };
    await system.fetch('/streams/matrix', { method: 'PUT', body: JSON.stringify(settings) });
    const made = join(folder, 'source.mkv');
    const german = flashAndBeep(String(RATE), SECONDS).slice(4);
    const pitched = german.map((text) => text.replace('1000*t', '4000*t'));
    const maps = ['-map', '0:v', '-map', '1:a', '-map', '2:a'];
    const tags = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu'];
    const inputs = [...flashAndBeep(String(RATE), SECONDS), ...pitched];
    await ffmpeg([...inputs, ...maps, ...reorderedVideo(String(RATE)), ...tags, made]);
    const url = `${system.urlWithKey}/upload/matrix/live.m3u8`;
    const hls = ['-f', 'hls', '-hls_time', String(SEGMENT_SECONDS), '-method', 'PUT', url];
    await ffmpeg(['-i', made, '-map', '0', '-c', 'copy', ...hls]);
    await system.fetch('/upload/matrix/end', { method: 'POST' });
    await waitFor('the whole stream', async () => {
      const answer = await fetch(`${system.url}/viewstream/metadata/matrix?format=json`);
      const { state, durationSeconds } = (await answer.json()) as Record<string, unknown>;
      return state === 'ended' && durationSeconds === SECONDS;
    });
    [sourceOffset = 0] = lipSyncOf(await decodeMoments(['-i', made]));
  });
  after(async () => {
    for (const end of ends) await end();
  });

  const addressOf = (cell: Readonly<Record<string, string>>): string =>
    `${system.url}/viewstream/matrix?${new URLSearchParams({ timestamp: AT, ...cell })}`;

  async function download(cell: Cell): Promise<string> {
    const answer = await waitFor('the file', async () => {
      const given = await fetch(addressOf({ ...cell, wait: '20' }));
      return given.status === 202 ? undefined : given;
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
    const path = join(folder, `${cell.resolution}-${cell.lang}.${cell.format}`);
    await writeFile(path, new Uint8Array(await answer.arrayBuffer()));
    return path;
  }

  for (const cell of CELLS) {
    const { format, resolution, lang } = cell;
    const name = `${format} ${resolution} ${lang}`;
    if (format === 'webm' && resolution === 'source') {
      test(`${name} is refused: H.264 is nothing for WebM`, async () => {
        const answer = await fetch(addressOf(cell));
        assert.equal(answer.status, 400);
        const { code, hint } = (await answer.json()) as Record<string, string>;
        assert.equal(code, 'unsupported_format');
        assert.match(hint ?? '', /format=mp4, format=mov or format=ts/);
      });
      continue;
    }
    test(`${name} holds each frame once, and the right sound in step`, async () => {
      const path = await download(cell);
      const { streams, packets } = await probe(path);
      const [video = assert.fail(), audio = assert.fail(), ...more] = streams;
      assert.deepEqual(more, []);
      const codecs = format === 'webm' ? ['vp9', 'opus'] : ['h264', 'aac'];
      assert.deepEqual([video.codec_name, audio.codec_name], codecs);
      assert.equal(video.height, resolution === '90p' ? 90 : 180);
      assert.equal(packetsOf(packets, 'video').length, RATE * SEGMENT_SECONDS);
      assert.equal(audio.tags?.language, LANGUAGES[lang]);
      const picture = spanOf(packets, 'video', 1 / RATE);
      const sound = spanOf(packets, 'audio', SOUND_FRAME_SECONDS);
      // Matroska counts in milliseconds.
      const exact = format === 'webm' ? 0.001 : 0.000_02;
      assert.ok(Math.abs(picture.end - picture.start - SEGMENT_SECONDS) <= exact);
      if (format === 'mp4' || format === 'mov') assert.equal(picture.start, 0);
      if (resolution !== 'source') {
        for (const end of ['start', 'end'] as const) {
          assert.ok(
            Math.abs(sound[end] - picture[end]) <= SOUND_FRAME_SECONDS,
            `${end} of the sound`,
          );
        }
      }
      const moments = await decodeMoments(['-i', path]);
      const offsets = lipSyncOf(moments).map((offset) => offset - sourceOffset);
      assert.equal(offsets.length, 2);
      const worst = Math.max(...offsets.map(Math.abs));
      assert.ok(worst <= TOLERANCE_SECONDS, `off by ${offsets} s`);
      assert.equal(await isGerman(path), lang === 'de');
      await checkMediainfo(path, cell);
    });
  }

  test('the second request is answered from the store, with the same address', async () => {
    const cell = { format: 'mp4', resolution: '180p', lang: 'de' };
    const [first, second] = await Promise.all([0, 1].map(() => fetch(addressOf(cell))));
    assert.equal(first?.url, second?.url);
    assert.match(second?.url ?? '', /\/media\/matrix\/\w+\/files\/1-\d+-\d+-180p-audio-2-11\.mp4$/);
  });

  const skip = withoutChromium();
  test('a browser plays MP4 and WebM to the end', { skip }, async (t) => {
    const browser = await launchChromium();
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${system.url}/healthz`);
    for (const format of ['mp4', 'webm']) {
      await page.setContent(
        `<video muted src="${addressOf({ format, resolution: '90p', wait: '20' })}">`,
      );
      await page.evaluate("document.querySelector('video').play()");
      const hasEnded = () => page.evaluate<boolean>("document.querySelector('video').ended");
      await waitFor(`the end of ${format}`, hasEnded);
      const [seconds = 0, frames = 0] = await page.evaluate<number[]>(
        "(({ duration, ...video }, quality) => [duration, quality.totalVideoFrames])(document.querySelector('video'), document.querySelector('video').getVideoPlaybackQuality())",
      );
      assert.ok(Math.abs(seconds - SEGMENT_SECONDS) < 0.05, `${format} lasts ${seconds} s`);
      assert.ok(frames > 0);
    }
  });
});

async function probe(path: string): Promise<Probed> {
  const entries = 'stream=codec_type,codec_name,height:stream_tags=language';
  const { stdout } = await run('ffprobe', [
    ...['-v', 'error', '-show_entries'],
    `${entries}:packet=codec_type,pts_time,duration_time,flags`,
    ...['-of', 'json', path],
  ]);
  const probed = JSON.parse(stdout) as Probed;
  const streams = probed.streams.toSorted((a, b) => b.codec_type.localeCompare(a.codec_type));
  return { ...probed, streams };
}

const packetsOf = (packets: Probed['packets'], kind: string) =>
  packets.filter(({ codec_type, flags }) => codec_type === kind && !flags.includes('D'));

/** `lastSeconds`: of the last packet, where the container does not say. */
function spanOf(packets: Probed['packets'], kind: string, lastSeconds: number) {
  const own = packetsOf(packets, kind);
  const starts = own.map(({ pts_time }) => Number(pts_time));
  const ends = own.map(
    ({ pts_time, duration_time = lastSeconds }) => Number(pts_time) + Number(duration_time),
  );
  return { start: Math.min(...starts), end: Math.max(...ends) };
}

async function isGerman(path: string): Promise<boolean> {
  const filter = `${GERMAN_ALONE},volumedetect`;
  const { stderr } = await run('ffmpeg', [
    '-nostdin',
    '-i',
    path,
    '-vn',
    '-af',
    filter,
    '-f',
    'null',
    '-',
  ]);
  const loudest = Number(stderr.match(/max_volume: (-?[\d.]+) dB/)?.[1]);
  return loudest > -10;
}

type InfoTrack = Readonly<Record<string, string>>;

/** Where MediaInfo is installed. */
async function checkMediainfo(path: string, { format, resolution, lang }: Cell): Promise<void> {
  const asked = await run('mediainfo', ['--Output=JSON', path]).catch(() => undefined);
  if (!asked) return;
  const { track } = (JSON.parse(asked.stdout) as { media: { track: InfoTrack[] } }).media;
  const [video, audio] = ['Video', 'Audio'].map((type) =>
    track.find((one) => one['@type'] === type),
  );
  assert.equal(audio?.Language, lang);
  const seconds = Number(video?.Duration);
  assert.ok(Math.abs(seconds - SEGMENT_SECONDS) < 1.1 / RATE, `${seconds} s of picture`);
  if (format === 'mp4' || format === 'mov') {
    assert.equal(video?.FrameCount, String(RATE * SEGMENT_SECONDS));
    assert.equal(video?.FrameRate_Mode, 'CFR');
    assert.equal(video?.Duration, '2.000');
    if (resolution !== 'source') assert.equal(audio?.Duration, '2.000');
  }
}
