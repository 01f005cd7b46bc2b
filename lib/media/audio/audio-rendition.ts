/** One audio track of a segment becomes AAC in CMAF: copied where it can be, else encoded. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../domain/errors.ts';
import type { AudioFacts } from '../../domain/segment.ts';
import { runFfmpeg } from '../../ffmpeg/run.ts';
import { audioArgs } from '../../ffmpeg/transcode-args.ts';
import { AAC_FRAME_SAMPLES, AAC_LC, aacConfig, parseAudioFrame } from '../demux/audio-frames.ts';
import type { DemuxedAudio } from '../demux/demuxed-segment.ts';
import { aacInit } from '../mux/aac-init.ts';
import { type RenditionSegment, type TimedSample, writeFragment } from '../mux/cmaf.ts';
import { makeEncoderInput } from './encoder-input.ts';
import { type AudioAnchor, alignPackets, planEncode, samplesAt } from './frame-alignment.ts';
import { isCopied } from './preroll.ts';

export type AudioJobInput = Readonly<{
  track: DemuxedAudio;
  /** Distinguishes the files of several tracks. */
  index: number;
  /** Container's times → timeline. */
  timestampOffsetTicks: number;
  anchor: AudioAnchor;
  /** The same track of the segment before: its end on the timeline, and its last packets. */
  previous?:
    | Readonly<{ facts: AudioFacts; endTicks: number; preroll: readonly Uint8Array[] }>
    | undefined;
  folder: string;
  signal: AbortSignal;
}>;

const STEREO_BPS = 128_000;
const MONO_BPS = 96_000;
/** What an AAC frame can hold for one channel (ISO/IEC 14496-3, 4.5.3.3). */
const MAX_FRAME_BITS = 6144;

/** Throws DomainError `undecodable` when no packet can be decoded; FfmpegError. */
export async function makeAudioRendition(job: AudioJobInput): Promise<RenditionSegment> {
  const { track, timestampOffsetTicks, anchor } = job;
  const { sampleRateHz, language } = track;
  const starts = track.packets.map(({ startTicks }) => startTicks + timestampOffsetTicks);
  // A track whose rate differs from the run's is counted at its own, from the same moment on.
  const ownAnchor = { startTicks: anchor.startTicks, sampleRateHz };
  const positions = alignPackets(starts, track.samplesPerPacket, ownAnchor);
  const { config, channels, codecString, startSample, samples } =
    isCopied(track) && track.config
      ? copyPackets(track, track.config, positions)
      : await encode(job, positions);
  const anchorSample = Math.round(samplesAt(anchor.startTicks, sampleRateHz));
  return {
    init: aacInit({ config, sampleRateHz, channels }),
    media: writeFragment(anchorSample + startSample, samples, 1),
    info: { kind: 'audio', codecString, channels, sampleRateHz, language },
  };
}

type AacFrames = Readonly<{
  /** AudioSpecificConfig. */
  config: Uint8Array;
  channels: number;
  codecString: string;
  /** From the anchor. */
  startSample: number;
  samples: readonly TimedSample[];
}>;

const syncSample = (bytes: Uint8Array, durationTicks: number): TimedSample => {
  return { bytes, isSync: true, durationTicks, compositionTicks: 0 };
};

function copyPackets(
  { packets, samplesPerPacket, channels, codecString }: DemuxedAudio,
  config: Uint8Array,
  positions: readonly number[],
): AacFrames {
  const samples = packets.map(({ bytes }, index) => {
    const position = positions[index] ?? 0;
    const next = positions[index + 1] ?? position + 1;
    return syncSample(bytes, (next - position) * samplesPerPacket);
  });
  const startSample = (positions[0] ?? 0) * samplesPerPacket;
  return { config, channels, codecString, startSample, samples };
}

async function encode(job: AudioJobInput, positions: readonly number[]): Promise<AacFrames> {
  const { track, index, folder, signal } = job;
  const { codec, samplesPerPacket, sampleRateHz } = track;
  const channels = Math.min(track.channels || 2, 2);
  const first = positions[0] ?? 0;
  const last = positions.at(-1) ?? 0;
  const preroll = usablePreroll(job);
  const { packets, mutedSeconds } = fillLostPackets(track, positions, preroll);
  const plan = planEncode(
    (first - preroll.length) * samplesPerPacket,
    first * samplesPerPacket,
    (last + 1) * samplesPerPacket,
  );
  const { format, bytes } = await makeEncoderInput(track, packets);
  const inputPath = join(folder, `audio-${index}.${format}`);
  await writeFile(inputPath, bytes);
  const maxBps = Math.floor((MAX_FRAME_BITS * channels * sampleRateHz) / AAC_FRAME_SAMPLES);
  const bitrateBps = Math.min(channels === 1 ? MONO_BPS : STEREO_BPS, maxBps);
  const { padSamples } = plan;
  const output = { sampleRateHz, channels, bitrateBps, padSamples, mutedSeconds };
  const run = async (fillsGaps: boolean): Promise<Uint8Array[]> => {
    const args = audioArgs({ inputPath, format, ...output, fillsGaps });
    return splitAdts((await runFfmpeg({ args, signal })).stdout);
  };
  const samples = packets.length * samplesPerPacket + padSamples;
  const whole = 1 + Math.ceil(samples / AAC_FRAME_SAMPLES);
  let encoded = await run(false);
  // A decoder that drops packets would move all the rest forward.
  if (encoded.length < whole) encoded = await run(true);
  const wanted = encoded.slice(plan.firstFrame, plan.firstFrame + plan.frames);
  const filler = encoded.at(-1);
  if (!filler) {
    throw new DomainError(
      'undecodable',
      `None of the ${track.packets.length} ${codec} packets of track ${index + 1} can be decoded.`,
      'Check the audio that the encoder sends; play the segment with ffplay.',
    );
  }
  while (wanted.length < plan.frames) wanted.push(filler);
  return {
    config: aacConfig(AAC_LC, sampleRateHz, channels),
    channels,
    codecString: `mp4a.40.${AAC_LC}`,
    startSample: plan.startSample,
    samples: wanted.map((frame) => syncSample(frame, AAC_FRAME_SAMPLES)),
  };
}

const FORMAT = ['codec', 'sampleRateHz', 'channels', 'samplesPerPacket'] as const;

/** Only packets that come right before the segment, in the same format, lead the encoder into it. */
function usablePreroll(job: AudioJobInput): readonly Uint8Array[] {
  const { track, previous, timestampOffsetTicks } = job;
  if (!previous) return [];
  const { facts, endTicks, preroll } = previous;
  const sameFormat = FORMAT.every((property) => facts[property] === track[property]);
  const startTicks = (track.packets[0]?.startTicks ?? 0) + timestampOffsetTicks;
  const distance = Math.abs(samplesAt(startTicks - endTicks, track.sampleRateHz));
  return sameFormat && distance < track.samplesPerPacket / 2 ? preroll : [];
}

/**
 * Repeats the packet before a lost one, to be muted, so that all others keep their position.
 * `mutedSeconds` count from the first packet on.
 */
function fillLostPackets(
  track: DemuxedAudio,
  positions: readonly number[],
  preroll: readonly Uint8Array[],
) {
  const packets = [...preroll];
  const mutedSeconds: { start: number; end: number }[] = [];
  const secondsOf = (count: number) => (count * track.samplesPerPacket) / track.sampleRateHz;
  track.packets.forEach(({ bytes }, index) => {
    const position = positions[index] ?? 0;
    const missing = position - (positions[index - 1] ?? position - 1) - 1;
    if (missing > 0) {
      const start = secondsOf(packets.length);
      mutedSeconds.push({ start, end: start + secondsOf(missing) });
      const before = packets.at(-1) ?? bytes;
      for (let count = 0; count < missing; count += 1) packets.push(before);
    }
    packets.push(bytes);
  });
  return { packets, mutedSeconds };
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
