/** Source segments as encoders make them: test pictures and tones, cut by ffmpeg's HLS muxer. */

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ffmpeg } from './ffmpeg.ts';

export type ClipOptions = Readonly<{
  seconds?: number;
  /** As ffmpeg writes it: `30`, `30000/1001`. */
  rate?: string;
  size?: string;
  video?: 'h264' | 'hevc' | 'vp9' | 'av1' | 'none';
  audio?: 'aac' | 'mp3' | 'mp2' | 'ac3' | 'eac3' | 'opus' | 'none';
  audioRate?: number;
  channels?: number;
  /** `mp4`: each segment a file of its own, `mov`-style with the header last. */
  container?: 'ts' | 'fmp4' | 'mp4' | 'mp4-faststart';
  hlsTime?: number;
  /** Distance of keyframes. */
  keyframeSeconds?: number;
  openGop?: boolean;
  bFrames?: number;
  /** Filters over the test picture, e.g. `setsar=16/15`. */
  filter?: string;
  /** Options of the video encoder. */
  videoArgs?: readonly string[];
  /** Added to all timestamps. */
  offsetSeconds?: number;
  /** ISO 639-2, one for each audio track; they sound alike. */
  languages?: readonly string[];
}>;

export type Segment = Readonly<{ name: string; bytes: Uint8Array }>;

export type Clip = Readonly<{ segments: readonly Segment[]; init?: Uint8Array }>;

let folder: string | undefined;

/** Removed when the process that made it ends. */
function cacheFolder(): string {
  if (!folder) {
    const made = mkdtempSync(join(tmpdir(), 'rivulet-media-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

/** Made once for each set of options in a process. Named `0.ts`, `1.ts` … or `0.m4s`, `0.mp4` …; 2 s each. */
export async function makeSegments(options: ClipOptions = {}): Promise<Clip> {
  const key = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16);
  const path = join(cacheFolder(), key);
  if (!existsSync(path)) {
    const draft = `${path}-draft-${Math.random().toString(36).slice(2)}`;
    await mkdir(draft);
    await ffmpeg(clipArgs(options, draft));
    await rename(draft, path).catch((error) => {
      if (!existsSync(path)) throw error;
      return rm(draft, { recursive: true });
    });
  }
  return readClip(path);
}

export async function readClip(path: string): Promise<Clip> {
  const names = (await readdir(path)).filter((name) => /^\d+\./.test(name));
  names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const segments = await Promise.all(
    names.map(async (name) => ({ name, bytes: new Uint8Array(await readFile(join(path, name))) })),
  );
  const initPath = join(path, 'init.mp4');
  return existsSync(initPath)
    ? { segments, init: new Uint8Array(await readFile(initPath)) }
    : { segments };
}

/** A sweep, two tones and noise that comes and goes: every moment sounds different. */
const SOUND =
  '0.25*sin(2*PI*(200+60*t)*t)+0.12*sin(2*PI*777*t)+0.08*sin(2*PI*3300*t)+0.05*(random(0)-0.5)*gt(mod(t,1.3),0.9)';

const AUDIO_ENCODERS = {
  aac: ['aac', '-b:a', '160k'],
  mp3: ['libmp3lame', '-b:a', '128k'],
  mp2: ['mp2', '-b:a', '192k'],
  ac3: ['ac3', '-b:a', '192k'],
  eac3: ['eac3', '-b:a', '192k'],
  opus: ['libopus', '-b:a', '128k'],
} as const;

export function clipArgs(options: ClipOptions, path: string): string[] {
  const { seconds = 8, rate = '30', size = '320x180', video = 'h264', audio = 'aac' } = options;
  const { audioRate = 48_000, channels = 2, languages = ['und'], filter = 'null' } = options;
  // Many channels with the same sound add up when they are mixed to two.
  const level = channels > 2 ? `0.3*(${SOUND})` : SOUND;
  const sound = Array.from({ length: channels }, () => level).join('|');
  const hasVideo = video !== 'none';
  const inputs = [
    ...(hasVideo ? ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`] : []),
    ...(audio === 'none'
      ? []
      : ['-f', 'lavfi', '-i', `aevalsrc='${sound}':s=${audioRate}:d=${seconds}`]),
  ];
  const audioIndex = hasVideo ? 1 : 0;
  const maps = [
    ...(hasVideo ? ['-map', '0:v', '-vf', filter] : []),
    ...(audio === 'none' ? [] : languages.flatMap(() => ['-map', `${audioIndex}:a`])),
  ];
  const tags = languages.flatMap((code, index) => [`-metadata:s:a:${index}`, `language=${code}`]);
  const encoders = [
    ...(hasVideo ? videoEncoder(options, video) : []),
    ...(audio === 'none'
      ? []
      : ['-c:a', ...AUDIO_ENCODERS[audio], '-ac', String(channels), ...tags]),
  ];
  return [
    ...inputs,
    ...maps,
    ...encoders,
    ...['-output_ts_offset', String(options.offsetSeconds ?? 0)],
    ...['-fflags', '+bitexact', '-flags:v', '+bitexact', '-flags:a', '+bitexact', '-strict', '-2'],
    ...muxer(options, path),
  ];
}

function videoEncoder(options: ClipOptions, video: 'h264' | 'hevc' | 'vp9' | 'av1'): string[] {
  const { rate = '30', hlsTime = 2, keyframeSeconds = hlsTime, bFrames = 2 } = options;
  const [numerator = 30, denominator = 1] = rate.split('/').map(Number);
  const gop = String(Math.round((numerator / denominator) * keyframeSeconds));
  const open = options.openGop ? 1 : 0;
  const encoders = {
    h264: [
      ...['libx264', '-preset', 'ultrafast', '-bf', String(bFrames), '-b_strategy', '0'],
      ...['-x264-params', `open-gop=${open}:scenecut=0:repeat-headers=1`],
    ],
    hevc: [
      'libx265',
      '-preset',
      'ultrafast',
      '-tag:v',
      'hvc1',
      '-x265-params',
      `open-gop=${open}:log-level=none:scenecut=0`,
    ],
    vp9: ['libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '300k'],
    av1: ['libsvtav1', '-preset', '12', '-svtav1-params', 'irefresh-type=2'],
  } as const;
  return [
    ...['-c:v', ...encoders[video], '-g', gop, '-keyint_min', gop],
    ...['-pix_fmt', 'yuv420p', ...(options.videoArgs ?? [])],
  ];
}

function muxer({ container = 'ts', hlsTime = 2 }: ClipOptions, path: string): string[] {
  const files = (extension: string) => join(path, `%d.${extension}`);
  if (container === 'mp4' || container === 'mp4-faststart') {
    const flags = container === 'mp4' ? [] : ['-segment_format_options', 'movflags=+faststart'];
    return [
      ...['-f', 'segment', '-segment_time', String(hlsTime), '-segment_format', 'mp4', ...flags],
      files('mp4'),
    ];
  }
  const isTs = container === 'ts';
  return [
    ...['-f', 'hls', '-hls_time', String(hlsTime), '-hls_list_size', '0'],
    ...['-hls_segment_type', isTs ? 'mpegts' : 'fmp4', '-hls_fmp4_init_filename', 'init.mp4'],
    ...['-hls_segment_filename', files(isTs ? 'ts' : 'm4s'), join(path, 'index.m3u8')],
  ];
}
