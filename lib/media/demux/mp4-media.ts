/** Makes frames and packets of the samples of an MP4's tracks. */

import { DomainError } from '../../domain/errors.ts';
import type { AudioCodec } from '../../domain/media-format.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { writeFragment } from '../mux/cmaf.ts';
import { AAC_LC, aacConfig, opusPacketSamples, parseAudioFrame } from './audio-frames.ts';
import type { DemuxedAudio, DemuxedFrame, DemuxedVideo } from './demuxed-segment.ts';
import { writeHeader } from './mp4-codec.ts';
import { type Mp4Video, mp4DecoderInput } from './mp4-decoder-input.ts';
import type { PlacedSample } from './mp4-edit-list.ts';
import type { TakenAudio, TakenVideo } from './mp4-select.ts';
import { describesVideo, languageOf } from './mp4-tracks.ts';
import {
  type FrameHeader,
  type ParameterSet,
  parseFrameHeader,
  startsClosed,
  unitsInSample,
} from './nal-units.ts';

type Mp4DemuxedVideo = DemuxedVideo & Readonly<{ mp4: Mp4Video }>;

/** VP9 and AV1: what the container says is enough. */
const NO_NAL_HEADER = { refersAcrossEntry: false, parameterSets: new Set<ParameterSet>() };

const dataOf = (bytes: Uint8Array, { at, sizeBytes }: PlacedSample): Uint8Array =>
  bytes.subarray(at, at + sizeBytes);

/** Throws DomainError `no_keyframe`. */
export function makeVideo(bytes: Uint8Array, taken: TakenVideo): DemuxedVideo {
  const { track, trackHeader, samples } = taken;
  const { lengthBytes, ...config } = taken.video;
  const { codec } = config;
  const nalCodec = codec === 'avc' || codec === 'hevc' ? codec : undefined;
  const headers = samples.map((sample): FrameHeader => {
    if (!nalCodec) return { ...NO_NAL_HEADER, entry: sample.isSync ? 'closed' : 'none' };
    return parseFrameHeader(
      nalCodec,
      unitsInSample(dataOf(bytes, sample), lengthBytes),
      sample.isSync,
    );
  });
  if (!headers.some(({ entry }) => entry !== 'none')) {
    throw new DomainError(
      'no_keyframe',
      `None of the ${samples.length} frames is a keyframe.`,
      'Cut segments at keyframes, and set the keyframe interval to the segment length (ffmpeg: -g).',
    );
  }
  const frames = samples.map((sample) => {
    const { ticks: ptsTicks, duration, isSync: isKey, isHidden } = sample;
    const durationTicks = (duration * TICKS_PER_SECOND) / track.timescale;
    return { ptsTicks, durationTicks, isKey, isHidden, bytes: dataOf(bytes, sample) };
  });
  const video: Mp4DemuxedVideo = {
    ...config,
    frames: frames.flatMap(({ ptsTicks, durationTicks, isHidden }) =>
      isHidden ? [] : [{ ptsTicks, durationTicks }],
    ),
    startsClosed: startsClosed(nalCodec ?? 'avc', headers),
    mp4: { header: trackHeader, frames },
    *nalFrames() {
      for (const { bytes: sample, ptsTicks, isHidden } of withTimes(video.mp4, this.frames)
        .frames) {
        if (nalCodec && !isHidden) yield { ptsTicks, units: unitsInSample(sample, lengthBytes) };
      }
    },
    decoderInput(previous) {
      const before = previous as Mp4DemuxedVideo | undefined;
      const own = withTimes(video.mp4, this.frames);
      return mp4DecoderInput(own, before && withTimes(before.mp4, before.frames));
    },
  };
  return video;
}

/** The times of the shown frames may have been put right since; hidden ones move with the one before. */
function withTimes({ header, frames }: Mp4Video, shown: readonly DemuxedFrame[]): Mp4Video {
  let index = 0;
  let shiftTicks = 0;
  const moved = frames.map((frame) => {
    const { ptsTicks, durationTicks = frame.durationTicks } =
      (frame.isHidden ? undefined : shown[index++]) ?? {};
    if (ptsTicks !== undefined) shiftTicks = ptsTicks - frame.ptsTicks;
    return { ...frame, ptsTicks: frame.ptsTicks + shiftTicks, durationTicks };
  });
  return { header, frames: moved };
}

export function makeAudio(bytes: Uint8Array, taken: TakenAudio): DemuxedAudio {
  const { track, samples } = taken;
  const { description, ...config } = taken.audio;
  const { codec, sampleRateHz, channels } = config;
  const packets = samples.map((sample) => ({
    startTicks: sample.ticks,
    bytes: dataOf(bytes, sample),
  }));
  const durations = samples.map(({ duration }) => (duration * sampleRateHz) / track.timescale);
  const madeUp = codec === 'aac' ? aacConfig(AAC_LC, sampleRateHz, channels) : undefined;
  const decoderConfig = description ?? madeUp;
  return {
    trackId: track.trackId,
    language: languageOf(bytes, track),
    ...(describesVideo(bytes, track) && { describesVideo: true }),
    ...config,
    samplesPerPacket: samplesPerPacket(codec, packets[0]?.bytes ?? new Uint8Array(0), durations),
    ...(decoderConfig && { config: decoderConfig }),
    packets,
  };
}

/** The track as a file of its own, which any parser can read. Its times are later by `delayTicks`. */
export function isolateAudio(
  bytes: Uint8Array,
  { track, trackHeader, samples }: TakenAudio,
): IsolatedTrack {
  const startTicks = samples[0]?.ticks ?? 0;
  const delayTicks = Math.max(0, -startTicks);
  const timed = samples.map((sample, index) => {
    const next = samples[index + 1]?.ticks;
    const own = Math.round((sample.duration * TICKS_PER_SECOND) / track.timescale);
    const durationTicks = next === undefined ? own : Math.max(1, next - sample.ticks);
    return { bytes: dataOf(bytes, sample), isSync: true, durationTicks, compositionTicks: 0 };
  });
  const fragment = writeFragment(startTicks + delayTicks, timed, 1);
  const file = Buffer.concat([writeHeader(trackHeader), fragment]);
  return { bytes: file, delayTicks, trackId: track.trackId };
}

/** `trackId`: of audio, in the file that it comes from. */
export type IsolatedTrack = Readonly<{ bytes: Uint8Array; delayTicks: number; trackId?: number }>;

/**
 * Packets tell their size themselves, but for AAC. The durations in the container are wrong for the
 * last packet of a track, which may be cut, and before gaps.
 */
function samplesPerPacket(
  codec: AudioCodec,
  first: Uint8Array,
  durations: readonly number[],
): number {
  if (codec === 'opus') return opusPacketSamples(first);
  if (codec !== 'aac') return parseAudioFrame(codec, first, 0)?.samples ?? DEFAULT_SAMPLES[codec];
  const median = durations.toSorted((a, b) => a - b)[durations.length >> 1] ?? 0;
  return AAC_FRAME_SIZES.find((size) => Math.abs(size - median) <= 1) ?? DEFAULT_SAMPLES.aac;
}

const DEFAULT_SAMPLES = { aac: 1024, mp3: 1152, ac3: 1536, eac3: 1536 } as const;
/** With SBR twice as many at the rate of the output; 960 in broadcast. */
const AAC_FRAME_SIZES = [1024, 2048, 960, 1920];
