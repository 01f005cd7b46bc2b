/** Command lines for ffmpeg that make the tracks of WebM. Pure. */

import type { PlannedRung } from '../domain/ladder.ts';
import { OPUS_RATE_HZ, type OpusPlan } from '../domain/opus-packets.ts';

const STEREO_BPS = 128_000;
const MONO_BPS = 72_000;

/**
 * VP9 in real time, without looking ahead: the CPU of H.264 at its preset veryfast. The quality is
 * constant up to the rung's rate.
 */
export const vp9Args = ({ maxrateBps }: Pick<PlannedRung, 'maxrateBps'>): string[] => [
  ...['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '6', '-row-mt', '1'],
  ...['-tile-columns', '2', '-lag-in-frames', '0', '-auto-alt-ref', '0'],
  ...['-crf', '32', '-b:v', String(maxrateBps), '-g', '600'],
];

export type OpusJob = Readonly<{
  /** AAC in MP4, as a demuxer of ffmpeg's is called. */
  format: string;
  path: string;
  channels: number;
  plan: OpusPlan;
}>;

/** Decodes, and encodes as Opus, in Ogg on standard output. */
export function opusArgs({ format, path, channels, plan }: OpusJob): string[] {
  const { dropSourceSamples, dropSamples, feedSamples } = plan;
  const restart = 'asetpts=N/SR/TB';
  const filters = [
    `atrim=start_sample=${dropSourceSamples}`,
    restart,
    `aresample=${OPUS_RATE_HZ}`,
    ...(dropSamples >= 0
      ? [`atrim=start_sample=${dropSamples}`, restart]
      : [`adelay=${-dropSamples}S:all=1`]),
    `apad=whole_len=${feedSamples}`,
    `atrim=end_sample=${feedSamples}`,
  ];
  return [
    ...['-max_error_rate', '1', '-protocol_whitelist', 'file', '-f', format, '-i', path],
    ...['-map', '0:a:0', '-af', filters.join(','), '-ac', String(channels)],
    ...['-c:a', 'libopus', '-b:a', String(channels === 1 ? MONO_BPS : STEREO_BPS)],
    ...['-frame_duration', '20', '-application', 'audio'],
    ...['-fflags', '+bitexact', '-flags:a', '+bitexact', '-f', 'ogg', 'pipe:1'],
  ];
}
