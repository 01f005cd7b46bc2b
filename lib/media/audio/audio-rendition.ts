/** One audio track of a segment becomes AAC in CMAF: copied where it can be, else encoded. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../domain/errors.ts';
import type { AudioFacts } from '../../domain/segment.ts';
import { runFfmpeg } from '../../ffmpeg/run.ts';
import { audioArgs } from '../../ffmpeg/transcode-args.ts';
import { AAC_LC, aacConfig } from '../demux/aac-config.ts';
import { parseAudioFrame } from '../demux/audio-frames.ts';
import type { SourceAudio } from '../demux/source-media.ts';
import { aacInit } from '../mux/aac-init.ts';
import { type TimedSample, writeFragment } from '../mux/cmaf.ts';
import type { TranscodedRendition } from '../mux/rendition.ts';
import { makeFeed } from './encoder-input.ts';
import {
  AAC_FRAME_SAMPLES,
  type AudioAnchor,
  placePackets,
  planEncode,
  samplesAt,
} from './frame-alignment.ts';
import { isCopied } from './preroll.ts';

export type AudioJobInput = Readonly<{
  track: SourceAudio;
  /** Distinguishes the files of several tracks. */
  index: number;
  /** Container's times → timeline. */
  timestampOffsetTicks: number;
  anchor: AudioAnchor;
  /** The same track at the end of the segment before, and its last packets. */
  previous?: Readonly<{ facts: AudioFacts; endTicks: number; tail: readonly Uint8Array[] }>;
  keepsLastAudio: boolean;
  folder: string;
  signal: AbortSignal;
}>;

const STEREO_BPS = 128_000;
const MONO_BPS = 96_000;
/** What an AAC frame can hold for one channel (ISO/IEC 14496-3, 4.5.3.3). */
const MAX_FRAME_BITS = 6144;

export async function makeAudioRendition(job: AudioJobInput): Promise<TranscodedRendition> {
  const { track, timestampOffsetTicks, anchor } = job;
  const { samplesPerPacket, sampleRateHz } = track;
  const starts = track.packets.map(({ startTicks }) => startTicks + timestampOffsetTicks);
  // A track whose rate differs from the run's has a grid of its own, from the same moment on.
  const grid = { startTicks: anchor.startTicks, sampleRateHz };
  const places = placePackets(starts, samplesPerPacket, grid);
  const anchorSample = Math.round(samplesAt(anchor.startTicks, sampleRateHz));
  if (isCopied(track) && track.config) {
    const first = anchorSample + (places[0] ?? 0) * samplesPerPacket;
    const durations = places.map(
      (place, index) => ((places[index + 1] ?? place + 1) - place) * samplesPerPacket,
    );
    const frames = track.packets.map(({ bytes }) => bytes);
    return rendition(
      track,
      track.config,
      track.channels,
      track.codecString,
      first,
      frames,
      durations,
    );
  }
  const { frames, labelSamples, channels } = await encode(job, places);
  const config = aacConfig(AAC_LC, sampleRateHz, channels);
  const durations = frames.map(() => AAC_FRAME_SAMPLES);
  const first = anchorSample + labelSamples;
  return rendition(track, config, channels, `mp4a.40.${AAC_LC}`, first, frames, durations);
}

function rendition(
  { sampleRateHz, language }: SourceAudio,
  config: Uint8Array,
  channels: number,
  codecString: string,
  startSamples: number,
  frames: readonly Uint8Array[],
  durations: readonly number[],
): TranscodedRendition {
  const samples = frames.map(
    (bytes, index): TimedSample => ({
      bytes,
      isSync: true,
      durationTicks: durations[index] ?? AAC_FRAME_SAMPLES,
      compositionTicks: 0,
    }),
  );
  return {
    init: aacInit({ config, sampleRateHz, channels }),
    media: writeFragment(startSamples, samples, 1),
    info: { kind: 'audio', codecString, channels, sampleRateHz, language },
  };
}

type Fed = Readonly<{
  packets: readonly Uint8Array[];
  mutedSeconds: { start: number; end: number }[];
}>;

async function encode(job: AudioJobInput, places: readonly number[]) {
  const { track, index, folder, signal } = job;
  const { codec, samplesPerPacket, sampleRateHz } = track;
  const channels = Math.min(track.channels || 2, 2);
  const firstPlace = places[0] ?? 0;
  const lastPlace = places.at(-1) ?? 0;
  const tail = usableTail(job);
  const { packets, mutedSeconds } = fillHoles(track, places, tail);
  const fedStart = (firstPlace - tail.length) * samplesPerPacket;
  const start = firstPlace * samplesPerPacket;
  const end = (lastPlace + 1) * samplesPerPacket;
  const plan = planEncode(fedStart, start, end, job.keepsLastAudio);
  const feed = await makeFeed(track, packets);
  const inputPath = join(folder, `audio-${index}.${feed.format}`);
  await writeFile(inputPath, feed.bytes);
  const bitsPerSecond = channels === 1 ? MONO_BPS : STEREO_BPS;
  const bitrateBps = Math.min(
    bitsPerSecond,
    Math.floor((MAX_FRAME_BITS * channels * sampleRateHz) / AAC_FRAME_SAMPLES),
  );
  const args = { inputPath, format: feed.format, sampleRateHz, channels, bitrateBps, mutedSeconds };
  const { padSamples } = plan;
  const samples = packets.length * samplesPerPacket + padSamples;
  const run = async (fillsHoles: boolean): Promise<Uint8Array[]> => {
    const { stdout } = await runFfmpeg({
      args: audioArgs({ ...args, padSamples, fillsHoles }),
      signal,
    });
    return splitAdts(stdout);
  };
  const whole = 1 + Math.ceil(samples / AAC_FRAME_SAMPLES);
  let encoded = await run(false);
  // A decoder that leaves packets out would let all the rest slip.
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
  return { frames: wanted, labelSamples: plan.labelSamples, channels };
}

/** Only what comes right before the segment, in the same format, helps the encoder into it. */
function usableTail({
  track,
  previous,
  timestampOffsetTicks,
}: AudioJobInput): readonly Uint8Array[] {
  if (!previous) return [];
  const { facts, endTicks, tail } = previous;
  const sameFormat =
    facts.codec === track.codec &&
    facts.sampleRateHz === track.sampleRateHz &&
    facts.channels === track.channels &&
    facts.samplesPerPacket === track.samplesPerPacket;
  const startTicks = (track.packets[0]?.startTicks ?? 0) + timestampOffsetTicks;
  const distance = Math.abs(samplesAt(startTicks - endTicks, track.sampleRateHz));
  return sameFormat && distance < track.samplesPerPacket / 2 ? tail : [];
}

/** A lost packet is stood in for by the one before it, silenced, so that all others stay in place. */
function fillHoles(
  track: SourceAudio,
  places: readonly number[],
  tail: readonly Uint8Array[],
): Fed {
  const packets = [...tail];
  const mutedSeconds: { start: number; end: number }[] = [];
  const secondsOf = (count: number) => (count * track.samplesPerPacket) / track.sampleRateHz;
  track.packets.forEach(({ bytes }, index) => {
    const place = places[index] ?? 0;
    const missing = place - (places[index - 1] ?? place - 1) - 1;
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
