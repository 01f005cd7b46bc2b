/** Source segments in MPEG-TS. */

import { BufferSource, Input, MPEG_TS } from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { AAC_FRAME_SAMPLES } from '../audio/frame-alignment.ts';
import { aacConfig } from './aac-config.ts';
import {
  type AudioFrameHeader,
  type FramedAudioCodec,
  HEADER_BYTES,
  parseAudioFrame,
} from './audio-frames.ts';
import { parseAvcSps } from './avc-sps.ts';
import {
  type NalCodec,
  type PictureHeader,
  parsePicture,
  REQUIRED_PARAMETER_SETS,
  startsClosed,
  unitsInAnnexB,
} from './nal-units.ts';
import {
  languageTag,
  type SourceAudio,
  type SourceAudioPacket,
  type SourceMedia,
  type SourceVideo,
} from './source-media.ts';
import {
  type ElementaryStream,
  type PesPacket,
  parseTransportStream,
  TS_PACKET_BYTES,
} from './transport-stream.ts';

/** By `stream_type` (ISO/IEC 13818-1, Table 2-34, and what ATSC adds). */
const VIDEO_TYPES: ReadonlyMap<number, NalCodec> = new Map([
  [0x1b, 'avc'],
  [0x24, 'hevc'],
]);
const AUDIO_TYPES: ReadonlyMap<number, FramedAudioCodec> = new Map([
  [0x03, 'mp3'],
  [0x04, 'mp3'],
  [0x0f, 'aac'],
  [0x81, 'ac3'],
  [0x87, 'eac3'],
]);
const AVC_SPS = 7;
const PRIVATE_DATA = 0x06;
const AC3_DESCRIPTOR = 0x6a;
const EAC3_DESCRIPTOR = 0x7a;

/** Codecs that we do not take. Streams of types in no table are data, and ignored. */
const REFUSED_TYPES: ReadonlyMap<number, string> = new Map([
  [0x01, 'MPEG-1 video'],
  [0x02, 'MPEG-2 video'],
  [0x10, 'MPEG-4 part 2 video'],
  [0x11, 'AAC in LATM'],
  [0x33, 'H.266 video'],
  [0x82, 'DTS'],
  [0xea, 'VC-1 video'],
]);

/** Throws DomainError: `unsupported_media`, `truncated_segment`, `no_keyframe`, `no_parameter_sets`. */
export async function readTransportStream(bytes: Uint8Array): Promise<SourceMedia> {
  const { streams, pesPackets } = parseTransportStream(bytes);
  const packetsOf = (stream: ElementaryStream) => pesPackets.get(stream.pid) ?? [];
  for (const { streamType } of streams) {
    const refused = REFUSED_TYPES.get(streamType);
    if (refused) throw unsupportedCodec(refused);
  }
  const pictured = streams.find(
    (stream) => VIDEO_TYPES.has(stream.streamType) && packetsOf(stream).length > 0,
  );
  const codec = pictured && VIDEO_TYPES.get(pictured.streamType);
  const video =
    pictured && codec
      ? await readVideo(bytes, pictured.pid, codec, packetsOf(pictured))
      : undefined;
  const audio = streams.flatMap((stream) => {
    const audioCodec = audioCodecOf(stream);
    const track = audioCodec && readAudio(stream, audioCodec, packetsOf(stream));
    return track ? [track] : [];
  });
  return { container: 'ts', ...(video ? { video } : {}), audio };
}

const unsupportedCodec = (name: string): DomainError =>
  new DomainError(
    'unsupported_media',
    `The segment has a stream of ${name}.`,
    'Encode video as H.264, H.265, VP9 or AV1, and audio as AAC, MP3, AC-3, E-AC-3 or Opus.',
  );

function audioCodecOf(stream: ElementaryStream): FramedAudioCodec | undefined {
  const { streamType, descriptors, registration } = stream;
  if (streamType !== PRIVATE_DATA) return AUDIO_TYPES.get(streamType);
  if (registration === 'Opus') {
    throw new DomainError(
      'unsupported_media',
      'The transport stream carries Opus.',
      'Send Opus in fragmented MP4 (ffmpeg: -hls_segment_type fmp4), or encode AAC.',
    );
  }
  if (descriptors.has(EAC3_DESCRIPTOR) || registration === 'EAC3') return 'eac3';
  if (descriptors.has(AC3_DESCRIPTOR) || registration === 'AC-3') return 'ac3';
  return undefined;
}

async function readVideo(
  bytes: Uint8Array,
  pid: number,
  codec: NalCodec,
  pesPackets: readonly PesPacket[],
): Promise<SourceVideo> {
  const pictures = pesPackets.map(({ payload, randomAccess }) =>
    parsePicture(codec, unitsInAnnexB(payload), randomAccess),
  );
  const entryIndex = pictures.findIndex(({ entry }) => entry !== 'none');
  const name = codec === 'avc' ? 'H.264' : 'H.265';
  if (entryIndex < 0) {
    throw new DomainError(
      'no_keyframe',
      `None of the ${pictures.length} ${name} pictures is a keyframe.`,
      'Cut segments at keyframes, and set the keyframe interval to the segment length (ffmpeg: -g).',
    );
  }
  requireParameterSets(codec, name, pictures.slice(0, entryIndex + 1));
  const config = await readConfig(bytes, pid, entryIndex);
  const entry = pesPackets[entryIndex]?.payload ?? new Uint8Array(0);
  const size = codec === 'avc' ? (fieldedSize(entry, config.pixelAspect) ?? config) : config;
  return {
    codec,
    codecString: config.codecString,
    saysMatrix: config.saysMatrix,
    widthPx: size.widthPx,
    heightPx: size.heightPx,
    startsClosed: startsClosed(codec, pictures),
    frames: pesPackets.flatMap(({ ptsTicks }) => (ptsTicks === undefined ? [] : [{ ptsTicks }])),
  };
}

function requireParameterSets(
  codec: NalCodec,
  name: string,
  pictures: readonly PictureHeader[],
): void {
  const missing = REQUIRED_PARAMETER_SETS[codec].filter(
    (set) => !pictures.some(({ parameterSets }) => parameterSets.has(set)),
  );
  if (missing.length === 0) return;
  throw new DomainError(
    'no_parameter_sets',
    `The first ${name} keyframe comes without ${missing.join(' and ')}.`,
    'Repeat the parameter sets at each keyframe (ffmpeg -c copy: add -bsf:v dump_extra), or encode with closed GOPs.',
  );
}

/**
 * Codec string and size, from the parameter sets. Only the program's tables and the first keyframe
 * are given to the parser: it need not read the rest, nor understand the other streams.
 */
async function readConfig(bytes: Uint8Array, videoPid: number, entryIndex: number) {
  const kept: Uint8Array[] = [];
  const unitsOf = new Map<number, number>();
  const tables = new Set<number>();
  for (let offset = 0; offset < bytes.byteLength; offset += TS_PACKET_BYTES) {
    const flags = bytes[offset + 1] ?? 0;
    const pid = ((flags & 0x1f) << 8) | (bytes[offset + 2] ?? 0);
    const startsUnit = (flags & 0x40) !== 0;
    const units = (unitsOf.get(pid) ?? 0) + (startsUnit ? 1 : 0);
    unitsOf.set(pid, units);
    const packet = bytes.subarray(offset, offset + TS_PACKET_BYTES);
    if (pid === videoPid && units > entryIndex + 1) break;
    if (startsUnit && pid !== videoPid && !hasPesStart(packet)) tables.add(pid);
    const wanted = pid === videoPid ? units === entryIndex + 1 : tables.has(pid) && units === 1;
    if (wanted) kept.push(packet);
  }
  const input = new Input({
    source: new BufferSource(Buffer.concat(kept)),
    formats: [MPEG_TS],
  });
  const track = await input.getPrimaryVideoTrack().catch(() => null);
  const codecString = await track?.getCodecParameterString();
  if (!track || !codecString) throw undecodableParameters();
  const colorSpace = await track.getColorSpace();
  const { num, den } = await track.getPixelAspectRatio();
  return {
    codecString,
    widthPx: await track.getDisplayWidth(),
    heightPx: await track.getDisplayHeight(),
    pixelAspect: num / den,
    saysMatrix: Boolean(colorSpace.matrix),
  };
}

/** Display size of H.264 that may have fields, which mediabunny 1.61 takes for half as high. */
function fieldedSize(picture: Uint8Array, pixelAspect: number) {
  for (const unit of unitsInAnnexB(picture)) {
    if (((unit[0] ?? 0) & 0x1f) !== AVC_SPS) continue;
    const { widthPx, heightPx, interlaced } = parseAvcSps(unit);
    if (!interlaced) return undefined;
    return pixelAspect >= 1
      ? { widthPx: Math.round(widthPx * pixelAspect), heightPx }
      : { widthPx, heightPx: Math.round(heightPx / pixelAspect) };
  }
  return undefined;
}

const undecodableParameters = (): DomainError =>
  new DomainError(
    'undecodable',
    'The parameter sets of the video cannot be read.',
    'The segment was damaged, or its encoder is broken; play it with ffplay to see.',
  );

function hasPesStart(packet: Uint8Array): boolean {
  const adaptation = (packet[3] ?? 0) & 0x20 ? 1 + (packet[4] ?? 0) : 0;
  const at = 4 + adaptation;
  return packet[at] === 0 && packet[at + 1] === 0 && packet[at + 2] === 1;
}

function readAudio(
  stream: ElementaryStream,
  codec: FramedAudioCodec,
  pesPackets: readonly PesPacket[],
): SourceAudio | undefined {
  let first: AudioFrameHeader | undefined;
  const packets: SourceAudioPacket[] = [];
  for (const { header, startTicks, bytes } of framesIn(codec, pesPackets)) {
    first ??= header;
    const before = packets.at(-1);
    if (!header.dependent || !before) packets.push({ startTicks, bytes });
    else packets[packets.length - 1] = { ...before, bytes: Buffer.concat([before.bytes, bytes]) };
  }
  if (!first) return undefined;
  if (codec === 'aac' && first.samples > AAC_FRAME_SAMPLES) {
    throw unsupportedCodec('AAC with several blocks in a frame');
  }
  const { sampleRateHz, channels, samples, codecString } = first;
  const objectType = codec === 'aac' ? Number(codecString.split('.')[2]) : 0;
  return {
    codec,
    codecString,
    sampleRateHz,
    channels,
    samplesPerPacket: samples,
    language: languageTag(stream.language),
    ...(codec === 'aac' ? { config: aacConfig(objectType, sampleRateHz, channels) } : {}),
    packets,
  };
}

type TimedFrame = Readonly<{ header: AudioFrameHeader; startTicks: number; bytes: Uint8Array }>;

/** Frames may reach over the ends of PES packets; a time is that of the first frame that begins in one. */
function* framesIn(
  codec: FramedAudioCodec,
  pesPackets: readonly PesPacket[],
): Generator<TimedFrame> {
  let rest: Uint8Array = new Uint8Array(0);
  let inSync = false;
  let nextTicks: number | undefined;
  for (const { ptsTicks, payload } of pesPackets) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, payload]) : payload;
    const payloadStart = rest.length;
    let told = ptsTicks;
    let at = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const header = parseAudioFrame(codec, bytes, at);
      inSync = header !== undefined && (inSync || isFollowed(codec, bytes, at + header.frameBytes));
      if (!header || !inSync) {
        at += 1;
        continue;
      }
      if (at + header.frameBytes > bytes.length) break;
      if (told !== undefined && at >= payloadStart) {
        nextTicks = told;
        told = undefined;
      }
      const raw = bytes.subarray(at + header.headerBytes, at + header.frameBytes);
      if (nextTicks !== undefined) {
        yield { header, startTicks: Math.round(nextTicks), bytes: raw };
        if (!header.dependent)
          nextTicks += (header.samples * TICKS_PER_SECOND) / header.sampleRateHz;
      }
      at += header.frameBytes;
    }
    rest = bytes.subarray(at);
  }
}

/** Sync words occur in the data as well: a frame that stands at the right place confirms one. */
const isFollowed = (codec: FramedAudioCodec, bytes: Uint8Array, at: number): boolean =>
  at + HEADER_BYTES > bytes.length || parseAudioFrame(codec, bytes, at) !== undefined;
