/** A segment as a file: what ffprobe, MediaInfo and a decoder must find in it. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decodeMoments, type Language, lipSyncOf } from './lip-sync.ts';
import { waitFor } from './system.ts';

const run = promisify(execFile);

/** Of the stream: two languages, frames of 320x180 in segments of two seconds. */
export const RATE = 25;
export const SEGMENT_SECONDS = 2;
/** A frame of AAC, half of which may lie outside, or a packet of Opus. */
const SOUND_FRAME_SECONDS = 1024 / 48_000;
const TOLERANCE_SECONDS = 0.01;

const LANGUAGES: Readonly<Record<Language, string>> = { en: 'eng', de: 'deu' };

export type SegmentCell = Readonly<{ format: string; resolution: string; lang: Language }>;

export const SEGMENT_CELLS = ['mp4', 'mov', 'ts', 'webm'].flatMap((format) =>
  ['180p', '90p', 'source'].flatMap((resolution) =>
    (['en', 'de'] as const).map((lang): SegmentCell => ({ format, resolution, lang })),
  ),
);

/** H.264 is nothing for WebM. */
export const isRefused = ({ format, resolution }: SegmentCell): boolean =>
  format === 'webm' && resolution === 'source';

const CONTAINERS: Readonly<Record<string, string>> = {
  ...{ mp4: 'mp4', mov: 'mov', ts: 'mpegts', webm: 'webm' },
};

type Probed = Readonly<{
  format: Readonly<{ format_name: string }>;
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

/** Resolves with the path of the file in the folder. */
export async function downloadSegment(
  address: string,
  { format, resolution, lang }: SegmentCell,
  folder: string,
): Promise<string> {
  const answer = await waitFor('the file', async () => {
    const given = await fetch(`${address}&wait=20`);
    return given.status === 202 ? undefined : given;
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
  const path = join(folder, `${resolution}-${lang}.${format}`);
  await writeFile(path, new Uint8Array(await answer.arrayBuffer()));
  return path;
}

/** By ffprobe: one video and one audio, their codecs and language, each frame once, exactly the segment's time. */
export async function checkByFfprobe(path: string, cell: SegmentCell): Promise<void> {
  const { format, resolution, lang } = cell;
  const { format: container, streams, packets } = await probe(path);
  assert.ok(
    container.format_name.split(',').includes(CONTAINERS[format] ?? ''),
    container.format_name,
  );
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
  if (resolution === 'source') return;
  for (const end of ['start', 'end'] as const) {
    const apart = Math.abs(sound[end] - picture[end]);
    assert.ok(apart <= SOUND_FRAME_SECONDS, `${end} of the sound`);
  }
}

/** Flash and beep are as far apart as at the source, and the beep is that of the language. */
export async function checkLipSync(
  path: string,
  { lang }: SegmentCell,
  sourceSync: number,
): Promise<void> {
  const decoded = await decodeMoments(['-i', path]);
  assert.deepEqual(decoded.warnings, []);
  const offsets = lipSyncOf(decoded).map((offset) => offset - sourceSync);
  assert.equal(offsets.length, SEGMENT_SECONDS);
  const worst = Math.max(...offsets.map(Math.abs));
  assert.ok(worst <= TOLERANCE_SECONDS, `off by ${offsets} s`);
  assert.equal(decoded.language, lang);
}

async function probe(path: string): Promise<Probed> {
  const entries = 'stream=codec_type,codec_name,height:stream_tags=language';
  const { stdout, stderr } = await run('ffprobe', [
    ...['-v', 'error', '-show_entries'],
    `${entries}:format=format_name:packet=codec_type,pts_time,duration_time,flags`,
    ...['-of', 'json', path],
  ]);
  assert.equal(stderr, '');
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

type InfoTrack = Readonly<Record<string, string>>;

/** False where MediaInfo is not installed. */
export async function checkByMediainfo(
  path: string,
  { format, resolution, lang }: SegmentCell,
): Promise<boolean> {
  const asked = await run('mediainfo', ['--Output=JSON', path]).catch(() => undefined);
  if (!asked) return false;
  const { track } = (JSON.parse(asked.stdout) as { media: { track: InfoTrack[] } }).media;
  const [video, audio] = ['Video', 'Audio'].map((type) =>
    track.find((one) => one['@type'] === type),
  );
  assert.equal(track.length, 3, 'one video, one audio');
  assert.equal(audio?.Language, lang);
  const seconds = Number(video?.Duration);
  assert.ok(Math.abs(seconds - SEGMENT_SECONDS) < 1.1 / RATE, `${seconds} s of picture`);
  if (format === 'mp4' || format === 'mov') {
    assert.equal(video?.FrameCount, String(RATE * SEGMENT_SECONDS));
    assert.equal(video?.FrameRate_Mode, 'CFR');
    assert.equal(video?.Duration, '2.000');
    if (resolution !== 'source') assert.equal(audio?.Duration, '2.000');
  }
  return true;
}
