/** A small HLS tree from ffmpeg: two video renditions and one of audio, in segments of one second. */

import { execFile } from 'node:child_process';
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { boxesIn, viewOf } from '../../lib/media/iso-boxes.ts';

export const RENDITIONS = [
  { name: '360p', widthPx: 640, heightPx: 360, bps: 500_000 },
  { name: '180p', widthPx: 320, heightPx: 180, bps: 150_000 },
] as const;

export const TREE_SECONDS = 150;

export type HlsMediaTree = Readonly<{
  folder: string;
  /** EXTINF values by rendition: `360p`, `180p`, `audio`. */
  durations: Readonly<Record<string, readonly string[]>>;
}>;

export const COUNTER_BITS = 12;

/** The number of the picture, burned into its upper edge: a box for each bit, white for 1, lowest first. */
const COUNTER = [
  'drawbox=x=0:y=0:w=640:h=40:color=black:t=fill',
  ...Array.from(
    { length: COUNTER_BITS },
    (_, bit) =>
      `drawbox=x=${bit * 40}:y=0:w=40:h=40:color=white:t=fill:enable='mod(floor(n/${2 ** bit}),2)'`,
  ),
].join(',');

/** Writes `{rendition}/init.mp4` and `{rendition}/{n}.m4s` into `folder`. */
export async function makeHlsMediaTree(folder: string, framesPerSecond = 6): Promise<HlsMediaTree> {
  const scaled = RENDITIONS.map(
    ({ widthPx, heightPx }, index) => `[p${index}]scale=${widthPx}:${heightPx}[v${index}]`,
  );
  const split = `[0:v]split=${RENDITIONS.length}${RENDITIONS.map((_, index) => `[p${index}]`).join('')}`;
  await promisify(execFile)(
    'ffmpeg',
    [
      '-v error -nostdin -f lavfi',
      `-i testsrc2=size=640x360:rate=${framesPerSecond},${COUNTER}`,
      '-f lavfi -i sine=frequency=330:sample_rate=48000',
      `-t ${TREE_SECONDS} -filter_complex ${[split, ...scaled].join(';')}`,
      ...RENDITIONS.map(({ bps }, index) => `-map [v${index}] -b:v:${index} ${bps}`),
      '-map 1:a -c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0',
      `-g ${framesPerSecond} -keyint_min ${framesPerSecond}`,
      '-c:a aac -b:a 64k -ac 2 -f hls -hls_time 1 -hls_list_size 0 -hls_segment_type fmp4',
      '-hls_playlist_type vod -hls_fmp4_init_filename init.mp4',
    ]
      .join(' ')
      .split(' ')
      .concat(
        '-var_stream_map',
        [...RENDITIONS.map(({ name }, index) => `v:${index},name:${name}`), 'a:0,name:audio'].join(
          ' ',
        ),
        '-hls_segment_filename',
        path.join(folder, '%v/%d.m4s'),
        path.join(folder, '%v/media.m3u8'),
      ),
  );
  const names = [...RENDITIONS.map(({ name }) => name), 'audio'];
  const durations = await Promise.all(
    names.map(async (name, index) => {
      // With several renditions ffmpeg numbers the files, whatever their folders.
      await rename(
        path.join(folder, name, `init_${index}.mp4`),
        path.join(folder, name, 'init.mp4'),
      );
      const text = await readFile(path.join(folder, name, 'media.m3u8'), 'utf8');
      return [
        name,
        [...text.matchAll(/#EXTINF:([\d.]+)/g)].map((match) => match[1] ?? ''),
      ] as const;
    }),
  );
  return { folder, durations: Object.fromEntries(durations) };
}

/**
 * A segment of a tree that begins anew at its end, with times that go on: number `TREE_SECONDS` has the media
 * of 0. undefined: there is no such file.
 */
export async function readSegment(
  { folder }: HlsMediaTree,
  rendition: string,
  number: number,
): Promise<Uint8Array | undefined> {
  const read = (name: string) =>
    readFile(path.join(folder, rendition, name)).catch(() => undefined);
  const media = await read(`${number % TREE_SECONDS}.m4s`);
  const repeats = Math.floor(number / TREE_SECONDS);
  if (!media || repeats === 0) return media;
  const mdhd = bodyOf((await read('init.mp4')) ?? Buffer.of(), 'moov', 'trak', 'mdia', 'mdhd');
  const tfdt = bodyOf(media, 'moof', 'traf', 'tfdt');
  // Version 0 of the one, version 1 of the other, as ffmpeg writes them (ISO/IEC 14496-12, 8.4.2 and 8.8.12).
  const ticks = BigInt(viewOf(mdhd).getUint32(12)) * BigInt(repeats * TREE_SECONDS);
  viewOf(tfdt).setBigUint64(4, viewOf(tfdt).getBigUint64(4) + ticks);
  return media;
}

function bodyOf(bytes: Uint8Array, ...types: readonly string[]): Uint8Array {
  const [first, ...inner] = types;
  const box = [...boxesIn(bytes)].find(({ type }) => type === first);
  if (!box) throw new Error(`There is no ${first}.`);
  const body = bytes.subarray(box.bodyStart, box.end);
  return inner.length > 0 ? bodyOf(body, ...inner) : body;
}
