/** A small HLS tree from ffmpeg: two video renditions and one of audio, in segments of one second. */

import { execFile } from 'node:child_process';
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

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
