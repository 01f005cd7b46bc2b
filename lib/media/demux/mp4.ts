/** Source segments in ISO BMFF: fragments (fMP4, CMAF) and self-contained MP4 or MOV files. */

import {
  BufferSource,
  type EncodedPacket,
  EncodedPacketSink,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  Logging,
  LogLevel,
  MP4,
  QTFF,
} from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import type { AudioCodec, VideoCodec } from '../../domain/segment.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { type Box, boxesIn } from '../iso-boxes.ts';
import { AAC_LC, aacConfig } from './aac-config.ts';
import { opusPacketSamples, parseAudioFrame } from './audio-frames.ts';
import { parsePicture, startsClosed, unitsInSample } from './nal-units.ts';
import { checkSampleTables } from './sample-tables.ts';
import {
  languageTag,
  type SourceAudio,
  type SourceAudioPacket,
  type SourceFrame,
  type SourceMedia,
  type SourceVideo,
} from './source-media.ts';

// It writes to the console what it cannot read; what we refuse, we say ourselves.
Logging.level = LogLevel.Silent;

const VIDEO_CODECS: ReadonlySet<string> = new Set([
  'avc',
  'hevc',
  'vp9',
  'av1',
] satisfies VideoCodec[]);
const AUDIO_CODECS: ReadonlySet<string> = new Set([
  'aac',
  'mp3',
  'ac3',
  'eac3',
  'opus',
] satisfies AudioCodec[]);

const isVideoCodec = (codec: string | null): codec is VideoCodec => VIDEO_CODECS.has(codec ?? '');
const isAudioCodec = (codec: string | null): codec is AudioCodec => AUDIO_CODECS.has(codec ?? '');

/** Samples by themselves say nothing without the header of the track: both, in one piece. */
export function joinInit(bytes: Uint8Array, init: Uint8Array | undefined): Uint8Array {
  const hasOwn = [...boxesIn(bytes)].some(({ type }) => type === 'moov');
  return init && !hasOwn ? Buffer.concat([init, bytes]) : bytes;
}

/** Throws DomainError: `unsupported_media`, `truncated_segment`, `missing_init`, `no_keyframe`, `undecodable`. */
export async function readIsoMedia(bytes: Uint8Array, init?: Uint8Array): Promise<SourceMedia> {
  const boxes = checkBoxes(bytes);
  const types = new Set(boxes.map(({ type }) => type));
  if (!types.has('moov') && !init) {
    throw types.has('moof')
      ? new DomainError(
          'missing_init',
          'The fragment came without its init segment.',
          'Send the init segment first (PUT /upload/{videoId}/init.mp4), or put it in front of each fragment.',
        )
      : new DomainError(
          'truncated_segment',
          `The MP4 has no moov box, only ${[...types].join(', ')}.`,
          'The file was not finished; wait for the encoder to close it, then send it whole.',
        );
  }
  if (!types.has('mdat')) {
    throw new DomainError(
      'undecodable',
      'The segment has no media data (mdat).',
      'This is an init segment; send it under its name (PUT /upload/{videoId}/init.mp4), not as a segment.',
    );
  }
  const whole = joinInit(bytes, init);
  checkSampleTables(whole);
  const input = new Input({ source: new BufferSource(whole), formats: [MP4, QTFF] });
  try {
    const tracks = await readTracks(input);
    return { container: types.has('moof') ? 'fmp4' : 'mp4', ...tracks };
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw new DomainError(
      'undecodable',
      `The boxes of the MP4 contradict each other (${(error as Error).message}).`,
      'The segment was damaged, or its muxer is broken; play it with ffplay to see.',
    );
  } finally {
    input.dispose();
  }
}

function checkBoxes(bytes: Uint8Array): Box[] {
  const boxes = [...boxesIn(bytes)];
  const last = boxes.at(-1);
  const end = last?.end ?? 0;
  const stray = last && end < bytes.byteLength ? bytes.byteLength - end : 0;
  if (last && end <= bytes.byteLength && stray === 0) return boxes;
  const what =
    end > bytes.byteLength
      ? `Box ${last?.type} ends at byte ${end}, the data at byte ${bytes.byteLength}.`
      : `After box ${last?.type}, ${stray} bytes are left over.`;
  throw new DomainError(
    'truncated_segment',
    what,
    'The segment was cut or damaged on its way; send it again, whole.',
  );
}

type Tracks = Omit<SourceMedia, 'container'>;

async function readTracks(input: Input): Promise<Tracks> {
  const [pictured] = await input.getVideoTracks();
  const video = pictured && (await readVideo(pictured));
  const audio: SourceAudio[] = [];
  for (const track of await input.getAudioTracks()) {
    const read = await readAudio(track);
    if (read) audio.push(read);
  }
  return { ...(video ? { video } : {}), audio };
}

const unsupportedCodec = (kind: string, id: unknown): DomainError =>
  new DomainError(
    'unsupported_media',
    `The ${kind} track has the codec ${typeof id === 'string' ? `"${id}"` : 'that no one names'}.`,
    kind === 'video'
      ? 'Encode the video as H.264, H.265, VP9 or AV1, without encryption.'
      : 'Encode the audio as AAC, MP3, AC-3, E-AC-3 or Opus, without encryption.',
  );

const outside = (): DomainError =>
  new DomainError(
    'truncated_segment',
    'Some samples lie outside the media data.',
    'The segment was cut or damaged on its way; send it again, whole.',
  );

/** mediabunny ends at a sample whose data is not there, as it does at the last one. */
async function* packetsOf(track: InputVideoTrack | InputAudioTrack) {
  const sink = new EncodedPacketSink(track);
  let last: EncodedPacket | undefined;
  for await (const packet of sink.packets()) {
    if (packet.data.byteLength !== packet.byteLength) throw outside();
    last = packet;
    yield packet;
  }
  const metadataOnly = { metadataOnly: true };
  const next = last
    ? await sink.getNextPacket(last, metadataOnly)
    : await sink.getFirstPacket(metadataOnly);
  if (next) throw outside();
}

/** Halves are rounded up, whatever the noise of the division: neighbours must agree. */
const toTicks = (seconds: number): number => Math.floor(seconds * TICKS_PER_SECOND + 0.5 + 1e-4);

export async function readVideoParameters(track: InputVideoTrack) {
  const codec = await track.getCodec();
  const codecString = await track.getCodecParameterString();
  if (!isVideoCodec(codec) || !codecString) {
    throw unsupportedCodec('video', codec ?? (await track.getInternalCodecId()));
  }
  const colorSpace = await track.getColorSpace();
  return {
    codec,
    codecString,
    widthPx: await track.getDisplayWidth(),
    heightPx: await track.getDisplayHeight(),
    saysMatrix: Boolean(colorSpace.matrix),
  };
}

async function readVideo(track: InputVideoTrack): Promise<SourceVideo | undefined> {
  const parameters = await readVideoParameters(track);
  const { codec } = parameters;
  const nalCodec = codec === 'avc' || codec === 'hevc' ? codec : undefined;
  const lengthBytes = await nalLengthBytes(track, codec);
  const frames: SourceFrame[] = [];
  const pictures = [];
  for await (const { timestamp, duration, type, data } of packetsOf(track)) {
    frames.push({ ptsTicks: toTicks(timestamp), durationTicks: duration * TICKS_PER_SECOND });
    pictures.push(
      nalCodec
        ? parsePicture(nalCodec, unitsInSample(data, lengthBytes), type === 'key')
        : ({
            entry: type === 'key' ? 'closed' : 'none',
            refersAcrossEntry: false,
            parameterSets: new Set<never>(),
          } as const),
    );
  }
  if (frames.length === 0) return undefined;
  if (!pictures.some(({ entry }) => entry !== 'none')) {
    throw new DomainError(
      'no_keyframe',
      `None of the ${frames.length} pictures is a keyframe.`,
      'Cut segments at keyframes, and set the keyframe interval to the segment length (ffmpeg: -g).',
    );
  }
  return { ...parameters, frames, startsClosed: startsClosed(nalCodec ?? 'avc', pictures) };
}

/** `lengthSizeMinusOne` of avcC and hvcC (ISO/IEC 14496-15). */
async function nalLengthBytes(track: InputVideoTrack, codec: VideoCodec): Promise<number> {
  const description = (await track.getDecoderConfig())?.description;
  if (!description) return 4;
  return 1 + ((bytesOf(description)[codec === 'avc' ? 4 : 21] ?? 3) & 3);
}

const bytesOf = (data: ArrayBufferLike | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);

export async function readAudioParameters(track: InputAudioTrack) {
  const codec = await track.getCodec();
  const codecString = await track.getCodecParameterString();
  if (!isAudioCodec(codec) || !codecString) {
    throw unsupportedCodec('audio', codec ?? (await track.getInternalCodecId()));
  }
  return {
    codec,
    codecString,
    // Opus always decodes to 48 kHz; what MP4 says is the rate before encoding.
    sampleRateHz: codec === 'opus' ? 48_000 : await track.getSampleRate(),
    channels: await track.getNumberOfChannels(),
    language: languageTag(await track.getLanguageCode()),
  };
}

async function readAudio(track: InputAudioTrack): Promise<SourceAudio | undefined> {
  const parameters = await readAudioParameters(track);
  const { codec, sampleRateHz, channels } = parameters;
  const packets: SourceAudioPacket[] = [];
  const durations: number[] = [];
  for await (const { timestamp, duration, data } of packetsOf(track)) {
    packets.push({ startTicks: toTicks(timestamp), bytes: data });
    durations.push(duration * sampleRateHz);
  }
  if (packets.length === 0) return undefined;
  const description = (await track.getDecoderConfig())?.description;
  const config = description
    ? bytesOf(description)
    : codec === 'aac'
      ? aacConfig(AAC_LC, sampleRateHz, channels)
      : undefined;
  return {
    ...parameters,
    samplesPerPacket: samplesPerPacket(codec, packets, durations),
    ...(config ? { config } : {}),
    packets,
  };
}

/**
 * Packets tell their size themselves, but for AAC. The durations in the container are wrong for the
 * last packet of a track, which may be cut, and before holes.
 */
function samplesPerPacket(
  codec: AudioCodec,
  packets: readonly SourceAudioPacket[],
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
