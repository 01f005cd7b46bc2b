/** Decodes what came of a track in a segment, and encodes it as AAC-LC on the run's grid of samples. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../domain/errors.ts';
import { audioArgs } from '../../ffmpeg/audio-args.ts';
import { FfmpegError, runFfmpeg } from '../../ffmpeg/run.ts';
import { decodeArgs } from '../../ffmpeg/transcode-args.ts';
import { AAC_FRAME_SAMPLES, AAC_LC, aacConfig, parseAudioFrame } from '../demux/audio-frames.ts';
import type { AudioJobInput } from './audio-rendition.ts';
import { makeEncoderInput } from './encoder-input.ts';
import { planEncode, samplesAt } from './frame-alignment.ts';
import { type AacFrames, frameSample } from './piece.ts';
import { silentFrames } from './silence.ts';
import { layStretches, type Stretch } from './stretches.ts';

const STEREO_BPS = 128_000;
const MONO_BPS = 96_000;
/** What an AAC frame can hold for one channel (ISO/IEC 14496-3, 4.5.3.3). */
const MAX_FRAME_BITS = 6144;

/** Samples by which a resampler's output may be shorter than its input. */
const RESAMPLING_SLACK = 64;

/** What `makeAudioRendition` throws. */
export async function encodeTrack(job: AudioJobInput): Promise<AacFrames> {
  const { anchor, coverage } = job;
  const { sampleRateHz, channels } = anchor;
  const frameAt = (ticks: number): number =>
    Math.round(samplesAt(ticks - anchor.startTicks, sampleRateHz) / AAC_FRAME_SAMPLES);
  const first = frameAt(coverage.startTicks);
  const count = frameAt(coverage.endTicks) - first;
  const startSample = first * AAC_FRAME_SAMPLES;
  const endSample = startSample + count * AAC_FRAME_SAMPLES;
  const output = { startSample, endSample, sampleRateHz, channels };
  const frames = await encodeFrames(job, output).catch((error: unknown) => {
    if (error instanceof DomainError && job.mayBeSilent) return [];
    throw error;
  });
  const encoded = frames.map((frame) => frameSample(frame, AAC_FRAME_SAMPLES));
  return {
    config: aacConfig(AAC_LC, sampleRateHz, channels),
    codecString: `mp4a.40.${AAC_LC}`,
    ...{ sampleRateHz, channels, startSample },
    samples: [...encoded, ...silentFrames(count - encoded.length, channels)],
  };
}

async function encodeFrames(job: AudioJobInput, output: Output): Promise<Uint8Array[]> {
  const stretches = await writeStretches(job, layStretches(job, output.sampleRateHz));
  if (stretches.length === 0) return [];
  const frames = await encodeStretches(stretches, output, job.signal);
  if (frames.length > 0) return frames;
  const { packets, codec } = job.track;
  throw new DomainError(
    'undecodable',
    `None of the ${packets.length} ${codec} packets of track ${job.index + 1} can be decoded.`,
    'Check the audio that the encoder sends; play the segment with ffplay.',
  );
}

type WrittenStretch = Stretch & Readonly<{ format: string; path: string }>;

const writeStretches = (
  { index, folder }: AudioJobInput,
  stretches: readonly Stretch[],
): Promise<WrittenStretch[]> =>
  Promise.all(
    stretches.map(async (stretch, number) => {
      const { format, bytes } = await makeEncoderInput(stretch.track, stretch.packets);
      const path = join(folder, `audio-${index}-${number}.${format}`);
      await writeFile(path, bytes);
      return { ...stretch, format, path };
    }),
  );

type Output = Readonly<{
  startSample: number;
  endSample: number;
  sampleRateHz: number;
  channels: number;
}>;

/**
 * Frames from the output's start on, as many as the stretches give; none when nothing can be decoded.
 * `fillsGaps`: what a decoder drops would move all the rest forward, so silence takes its place.
 */
async function encodeStretches(
  stretches: readonly WrittenStretch[],
  output: Output,
  signal: AbortSignal,
  fillsGaps = false,
): Promise<Uint8Array[]> {
  const { sampleRateHz, channels } = output;
  const inputStart = stretches[0]?.startSample ?? 0;
  const inputEnd = stretches.at(-1)?.endSample ?? inputStart;
  const plan = planEncode(inputStart, output.startSample, output.endSample);
  const { padSamples } = plan;
  const resamples =
    stretches.length > 1 || stretches.some(({ track }) => track.sampleRateHz !== sampleRateHz);
  const maxBps = Math.floor((MAX_FRAME_BITS * channels * sampleRateHz) / AAC_FRAME_SAMPLES);
  const bitrateBps = Math.min(channels === 1 ? MONO_BPS : STEREO_BPS, maxBps);
  const inputs = stretches.map((stretch, index) => {
    const { format, path, mutedSeconds, startSample, endSample } = stretch;
    const next = stretches[index + 1]?.startSample ?? endSample;
    const isExact = fillsGaps || next !== endSample;
    const lengthSamples = isExact ? next - startSample : undefined;
    return { format, path, channels: stretch.track.channels, mutedSeconds, lengthSamples };
  });
  const settings = { sampleRateHz, channels, bitrateBps, padSamples, resamples, fillsGaps };
  const slack = resamples ? RESAMPLING_SLACK * stretches.length : 0;
  const samples = inputEnd - inputStart + padSamples - slack;
  let failure: FfmpegError | undefined;
  try {
    const { stdout } = await runFfmpeg({ args: audioArgs({ inputs, ...settings }), signal });
    const encoded = splitAdts(stdout);
    if (fillsGaps || encoded.length >= 1 + Math.ceil(samples / AAC_FRAME_SAMPLES)) {
      return encoded.slice(plan.firstFrame, plan.firstFrame + plan.frames);
    }
  } catch (error) {
    if (!(error instanceof FfmpegError) || error.killedBy || fillsGaps) throw error;
    failure = error;
  }
  const decodable: WrittenStretch[] = [];
  for (const stretch of stretches) if (await canDecode(stretch, signal)) decodable.push(stretch);
  if (failure && decodable.length === stretches.length) throw failure;
  return decodable.length > 0 ? encodeStretches(decodable, output, signal, true) : [];
}

/** If nothing can be decoded, the source is at fault for a failure, else the machine. */
async function canDecode({ format, path }: WrittenStretch, signal: AbortSignal): Promise<boolean> {
  try {
    const { stdout } = await runFfmpeg({ args: decodeArgs(format, path, '0:a:0'), signal });
    return /^[^#\n]/m.test(stdout.toString('latin1'));
  } catch (error) {
    if (error instanceof FfmpegError && !error.killedBy) return false;
    throw error;
  }
}

function splitAdts(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const header = parseAudioFrame('aac', bytes, at);
    if (!header) throw new Error(`ffmpeg wrote something else than ADTS at byte ${at}.`);
    frames.push(bytes.subarray(at + header.headerBytes, at + header.frameBytes));
    at += header.frameBytes;
  }
  return frames;
}
