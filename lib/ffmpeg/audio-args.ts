/** The worker's command line for ffmpeg where it encodes sound. Pure: facts in, arguments out. */

import { inputArgs } from './input-args.ts';

export type AudioInput = Readonly<{
  path: string;
  /** Name of the demuxer. */
  format: string;
  channels: number;
  /** Stretches of decoded audio that stand for lost packets. */
  mutedSeconds: readonly Readonly<{ start: number; end: number }>[];
  /** Samples of the output until the next input begins; undefined: as many as are decoded. */
  lengthSamples: number | undefined;
}>;

export type AudioJob = Readonly<{
  /** Heard one after the other. */
  inputs: readonly AudioInput[];
  sampleRateHz: number;
  channels: number;
  bitrateBps: number;
  /** Samples of silence in front of what is decoded, or to be cut off it when negative. */
  padSamples: number;
  /** The inputs differ from each other or from the output in rate or channels. */
  resamples: boolean;
  /** Packets that the decoder drops become silence. Resamples, so only for segments that need it. */
  fillsGaps: boolean;
}>;

/** Decodes and encodes audio; ADTS on standard output. */
export function audioArgs(job: AudioJob): string[] {
  const { inputs, sampleRateHz, channels, bitrateBps, padSamples } = job;
  const decoded = inputs.map(
    (input, index) => `[${index}:a:0]${inputFilters(input, job).join(',')}[a${index}]`,
  );
  const joined = [
    `concat=n=${inputs.length}:v=0:a=1`,
    ...(padSamples < 0 ? [`atrim=start_sample=${-padSamples}`, 'asetpts=N/SR/TB'] : []),
    ...(padSamples > 0 ? [`adelay=${padSamples}S:all=1`] : []),
  ];
  const labels = inputs.map((_, index) => `[a${index}]`).join('');
  return [
    ...inputs.flatMap(({ format, path }) => inputArgs(format, path)),
    ...['-filter_complex', [...decoded, `${labels}${joined.join(',')}[out]`].join(';')],
    ...['-map', '[out]', '-c:a', 'aac', '-b:a', String(bitrateBps), '-ar', String(sampleRateHz)],
    ...['-ac', String(channels), '-fflags', '+bitexact', '-flags:a', '+bitexact'],
    ...['-f', 'adts', 'pipe:1'],
  ];
}

function inputFilters(input: AudioInput, job: AudioJob): string[] {
  const { mutedSeconds, lengthSamples } = input;
  const layout = job.channels === 1 ? 'mono' : 'stereo';
  // ffmpeg makes mono 3 dB softer where it becomes stereo; players do not.
  const isWidened = input.channels === 1 && job.channels === 2;
  return [
    job.fillsGaps ? 'aresample=async=1:min_hard_comp=0.005:first_pts=0' : 'anull',
    ...mutedSeconds.map(({ start, end }) => `volume=0:enable='between(t,${start},${end})'`),
    ...(isWidened ? ['pan=stereo|c0=c0|c1=c0'] : []),
    ...(job.resamples
      ? [`aresample=${job.sampleRateHz}`, `aformat=sample_fmts=fltp:channel_layouts=${layout}`]
      : []),
    ...(lengthSamples === undefined
      ? []
      : [`apad=whole_len=${lengthSamples}`, `atrim=end_sample=${lengthSamples}`]),
  ];
}
