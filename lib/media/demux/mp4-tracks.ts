/** The tracks of an MP4, with or without fragments, by way of mediabunny. */

import {
  type EncodedPacket,
  EncodedPacketSink,
  type Input,
  type InputAudioTrack,
  type InputVideoTrack,
} from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import {
  type AudioCodec,
  listCodecs,
  MEDIA_FORMATS,
  type VideoCodec,
} from '../../domain/media-format.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { AAC_LC, aacConfig, opusPacketSamples, parseAudioFrame } from './audio-frames.ts';
import {
  type DemuxedAudio,
  type DemuxedFrame,
  type DemuxedPacket,
  type DemuxedSegment,
  type DemuxedVideo,
  languageTag,
  truncated,
} from './demuxed-segment.ts';
import {
  type Mp4Frame,
  type Mp4Video,
  mp4DecoderInput,
  readTrackHeader,
} from './mp4-decoder-input.ts';
import {
  type FrameHeader,
  type ParameterSet,
  parseFrameHeader,
  startsClosed,
  unitsInSample,
} from './nal-units.ts';

const { video: VIDEO_CODECS, audio: AUDIO_CODECS } = MEDIA_FORMATS.mp4;

/** The first video track, and all audio tracks that have packets. Throws DomainError. */
/** `bytes`: what `input` reads. */
export async function readTracks(
  input: Input,
  bytes: Uint8Array,
): Promise<Omit<DemuxedSegment, 'container' | 'notices'>> {
  const [videoTrack] = await input.getVideoTracks();
  const video = videoTrack && (await readVideo(videoTrack, bytes));
  const audio: DemuxedAudio[] = [];
  for (const track of await input.getAudioTracks()) {
    const read = await readAudio(track);
    if (read) audio.push(read);
  }
  return { ...(video ? { video } : {}), audio };
}

async function requireCodec<C extends VideoCodec | AudioCodec>(
  kind: 'video' | 'audio',
  codecs: readonly C[],
  track: InputVideoTrack | InputAudioTrack,
) {
  const found = await track.getCodec();
  const codec = codecs.find((known) => known === found);
  const codecString = await track.getCodecParameterString();
  if (codec && codecString) return { codec, codecString };
  const id = found ?? (await track.getInternalCodecId());
  throw new DomainError(
    'unsupported_media',
    `The ${kind} track has ${typeof id === 'string' ? `the codec "${id}"` : 'an unknown codec'}.`,
    `Encode the ${kind} as ${listCodecs(codecs)}, without encryption.`,
  );
}

/** mediabunny ends at a sample whose data is not there, as it does at the last one. */
async function* packetsOf(track: InputVideoTrack | InputAudioTrack) {
  const outside = 'Some samples lie outside the media data.';
  const sink = new EncodedPacketSink(track);
  let last: EncodedPacket | undefined;
  for await (const packet of sink.packets()) {
    if (packet.data.byteLength !== packet.byteLength) throw truncated(outside);
    last = packet;
    yield packet;
  }
  const metadataOnly = { metadataOnly: true };
  const next = last
    ? await sink.getNextPacket(last, metadataOnly)
    : await sink.getFirstPacket(metadataOnly);
  if (next) throw truncated(outside);
}

/** Halves are rounded up, whatever the noise of the division: neighbouring segments must agree. */
const toTicks = (seconds: number): number => Math.floor(seconds * TICKS_PER_SECOND + 0.5 + 1e-4);

export async function readVideoParameters(track: InputVideoTrack) {
  const colorSpace = await track.getColorSpace();
  return {
    ...(await requireCodec('video', VIDEO_CODECS, track)),
    widthPx: await track.getDisplayWidth(),
    heightPx: await track.getDisplayHeight(),
    saysMatrix: Boolean(colorSpace.matrix),
  };
}

type Mp4DemuxedVideo = DemuxedVideo & Readonly<{ mp4: Mp4Video }>;

/** VP9 and AV1: what the container says is enough. */
const NO_NAL_HEADER = { refersAcrossEntry: false, parameterSets: new Set<ParameterSet>() };

async function readVideo(
  track: InputVideoTrack,
  bytes: Uint8Array,
): Promise<DemuxedVideo | undefined> {
  const parameters = await readVideoParameters(track);
  const { codec } = parameters;
  const nalCodec = codec === 'avc' || codec === 'hevc' ? codec : undefined;
  const lengthBytes = await nalLengthBytes(track, codec);
  const frames: DemuxedFrame[] = [];
  const encoded: Mp4Frame[] = [];
  const headers: FrameHeader[] = [];
  for await (const { timestamp, duration, type, data } of packetsOf(track)) {
    frames.push({ ptsTicks: toTicks(timestamp), durationTicks: duration * TICKS_PER_SECOND });
    const isKey = type === 'key';
    encoded.push({ ptsTicks: toTicks(timestamp), isKey, bytes: data });
    headers.push(
      nalCodec
        ? parseFrameHeader(nalCodec, unitsInSample(data, lengthBytes), isKey)
        : { ...NO_NAL_HEADER, entry: isKey ? 'closed' : 'none' },
    );
  }
  if (frames.length === 0) return undefined;
  if (!headers.some(({ entry }) => entry !== 'none')) {
    throw new DomainError(
      'no_keyframe',
      `None of the ${frames.length} frames is a keyframe.`,
      'Cut segments at keyframes, and set the keyframe interval to the segment length (ffmpeg: -g).',
    );
  }
  const header = readTrackHeader(bytes, track.id);
  if (!header) throw new Error('a track without its boxes');
  const video: Mp4DemuxedVideo = {
    ...parameters,
    frames,
    startsClosed: startsClosed(nalCodec ?? 'avc', headers),
    mp4: { header, frames: encoded },
    decoderInput: (previous) =>
      mp4DecoderInput(video.mp4, (previous as Mp4DemuxedVideo | undefined)?.mp4),
  };
  return video;
}

/** `lengthSizeMinusOne` of avcC and hvcC (ISO/IEC 14496-15). */
async function nalLengthBytes(track: InputVideoTrack, codec: VideoCodec): Promise<number> {
  const description = await descriptionOf(track);
  return 1 + ((description?.[codec === 'avc' ? 4 : 21] ?? 3) & 3);
}

async function descriptionOf(
  track: InputVideoTrack | InputAudioTrack,
): Promise<Uint8Array | undefined> {
  const data = (await track.getDecoderConfig())?.description;
  if (!data || !ArrayBuffer.isView(data)) return data && new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export async function readAudioParameters(track: InputAudioTrack) {
  const { codec, codecString } = await requireCodec('audio', AUDIO_CODECS, track);
  return {
    codec,
    codecString,
    // Opus always decodes to 48 kHz; what MP4 says is the rate before encoding.
    sampleRateHz: codec === 'opus' ? 48_000 : await track.getSampleRate(),
    channels: await track.getNumberOfChannels(),
    language: languageTag(await track.getLanguageCode()),
  };
}

async function readAudio(track: InputAudioTrack): Promise<DemuxedAudio | undefined> {
  const parameters = await readAudioParameters(track);
  const { codec, sampleRateHz, channels } = parameters;
  const packets: DemuxedPacket[] = [];
  const durations: number[] = [];
  for await (const { timestamp, duration, data } of packetsOf(track)) {
    packets.push({ startTicks: toTicks(timestamp), bytes: data });
    durations.push(duration * sampleRateHz);
  }
  if (packets.length === 0) return undefined;
  const madeUp = codec === 'aac' ? aacConfig(AAC_LC, sampleRateHz, channels) : undefined;
  const config = (await descriptionOf(track)) ?? madeUp;
  return {
    trackId: track.id,
    ...parameters,
    samplesPerPacket: samplesPerPacket(codec, packets, durations),
    ...(config ? { config } : {}),
    packets,
  };
}

/**
 * Packets tell their size themselves, but for AAC. The durations in the container are wrong for the
 * last packet of a track, which may be cut, and before gaps.
 */
function samplesPerPacket(
  codec: AudioCodec,
  packets: readonly DemuxedPacket[],
  durations: readonly number[],
): number {
  const first = packets[0]?.bytes ?? new Uint8Array(0);
  if (codec === 'opus') return opusPacketSamples(first);
  if (codec !== 'aac') return parseAudioFrame(codec, first, 0)?.samples ?? DEFAULT_SAMPLES[codec];
  const median = durations.toSorted((a, b) => a - b)[durations.length >> 1] ?? 0;
  return AAC_FRAME_SIZES.find((size) => Math.abs(size - median) <= 1) ?? DEFAULT_SAMPLES.aac;
}

const DEFAULT_SAMPLES = { aac: 1024, mp3: 1152, ac3: 1536, eac3: 1536 } as const;
/** With SBR twice as many at the rate of the output; 960 in broadcast. */
const AAC_FRAME_SIZES = [1024, 2048, 960, 1920];
