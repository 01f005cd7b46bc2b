/** Whether a source is copied or encoded, and ffmpeg's arguments for it. Pure. */

import type { EncodeCommand } from './command.ts';
import type { CarriedTracks } from './feed.ts';
import type { Probe, ProbedVideo } from './probe.ts';

/** Without `video` it is copied if that makes good segments. */
export type CuttingOptions = Pick<EncodeCommand, 'video' | 'bitrateBps' | 'size' | 'sound'> &
  Readonly<{
    segmentSeconds: number;
    live: boolean;
    /** Encodes with little CPU: for the test pattern, whose quality does not matter. */
    light: boolean;
    /** Other tracks are left out. */
    carried?: CarriedTracks;
  }>;

/** Quality when no bit rate is given: better than what viewers get, as the server encodes it again. */
const CRF = { file: '20', live: '22' } as const;
const MAXRATE_BPS = 8_000_000;
const LIGHT_BPS = 2_000_000;
const AUDIO_BITRATE = '160k';

/** One track waits so long at most for packets of another that has fallen silent. */
export const MAX_INTERLEAVE = ['-max_interleave_delta', '1000000'];

/** How many times longer than asked for a copied segment may be: it ends at a keyframe only. */
const COPY_STRETCH = { live: 2, file: 3 } as const;

/** Segment durations of ffmpeg's hls muxer, which cuts at the first keyframe past each multiple. */
export function cutDurations(video: ProbedVideo, segmentSeconds: number): number[] {
  const durations: number[] = [];
  let start = video.startSeconds;
  for (const keyframe of video.keyframeSeconds) {
    if (keyframe - video.startSeconds < segmentSeconds * (durations.length + 1)) continue;
    durations.push(keyframe - start);
    start = keyframe;
  }
  if (video.endSeconds > start) durations.push(video.endSeconds - start);
  return durations;
}

/** H.264 that its keyframes cut into segments that decode alone, none of them much longer than asked for. */
export function isCopyable(video: ProbedVideo, segmentSeconds: number, live: boolean): boolean {
  if (video.codec !== 'h264' || video.rotated || !video.closed) return false;
  // Of a live source only the beginning was probed.
  if (live && video.keyframeSeconds.length < 2) return false;
  const durations = cutDurations(video, segmentSeconds);
  const longest = segmentSeconds * (live ? COPY_STRETCH.live : COPY_STRETCH.file);
  return durations.length > 0 && durations.every((seconds) => seconds <= longest);
}

/** ffmpeg's arguments between input and muxer. `probe`: undefined if the source was not probed. */
export function codecArguments(probe: Probe | undefined, options: CuttingOptions): string[] {
  const { segmentSeconds, live } = options;
  const changesVideo = options.bitrateBps !== undefined || options.size !== undefined;
  const copies =
    options.video === 'copy' ||
    (options.video === undefined &&
      !changesVideo &&
      probe?.video !== undefined &&
      isCopyable(probe.video, segmentSeconds, live));
  return [
    ...mapping(options),
    ...['-dn', '-sn', '-map_chapters', '-1'],
    ...(live ? MAX_INTERLEAVE : []),
    ...(options.sound || options.carried?.video === false
      ? []
      : copies
        ? ['-c:v', 'copy']
        : videoEncoding(options)),
    ...audioArguments(probe, options),
  ];
}

function mapping({ light, carried, sound }: CuttingOptions): string[] {
  // A language has one track.
  if (sound) return ['-map', light ? '1:a' : `0:a:${carried?.audio[0] ?? 0}`];
  if (!carried) return ['-map', '0:V:0?', '-map', light ? '1:a' : '0:a?'];
  const audio = carried.audio.flatMap((index) => ['-map', `0:a:${index}`]);
  return carried.video ? ['-map', '0:V:0', ...audio] : audio;
}

function videoEncoding(options: CuttingOptions): string[] {
  const { segmentSeconds, size, light, live } = options;
  const bitrateBps = options.bitrateBps ?? (light ? LIGHT_BPS : undefined);
  const maxrateBps = bitrateBps ?? MAXRATE_BPS;
  const rate =
    bitrateBps === undefined ? ['-crf', CRF[live ? 'live' : 'file']] : ['-b:v', String(bitrateBps)];
  const within =
    size === undefined
      ? 'scale=trunc(iw/2)*2:trunc(ih/2)*2'
      : `scale=w='min(iw,${size.widthPx})':h='min(ih,${size.heightPx})'` +
        ':force_original_aspect_ratio=decrease:force_divisible_by=2';
  return [
    ...['-vf', `${within},format=yuv420p`],
    // Each frame keeps its timestamp: none is duplicated or dropped to fit a frame rate.
    ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    ...['-c:v', 'libx264', '-preset', light ? 'superfast' : 'veryfast', '-profile:v', 'high'],
    // Frames that are looked at ahead come out late: half a second at the end of each live segment.
    ...(live ? ['-tune', 'zerolatency'] : []),
    ...rate,
    ...['-maxrate', String(maxrateBps), '-bufsize', String(2 * maxrateBps)],
    // One closed GOP for each segment, and no scene cut that moves its start.
    ...['-flags', '+cgop', '-sc_threshold', '0', '-g', '600'],
    ...['-force_key_frames', `expr:gte(t,n_forced*${segmentSeconds})`],
  ];
}

/** AAC-LC is copied; the server would have to encode anything else. */
function audioArguments(
  probe: Probe | undefined,
  { video, light, carried, sound }: CuttingOptions,
): string[] {
  const encoding = (stream: string) => [`-c:a${stream}`, 'aac', `-b:a${stream}`, AUDIO_BITRATE];
  if (!probe) return video === 'copy' && !light ? ['-c:a', 'copy'] : encoding('');
  const all = probe.audio.filter((_, index) => carried?.audio.includes(index) ?? true);
  const audio = sound ? all.slice(0, 1) : all;
  return audio.flatMap(({ codec, profile }, index) =>
    codec === 'aac' && profile === 'LC' ? [`-c:a:${index}`, 'copy'] : encoding(`:${index}`),
  );
}
