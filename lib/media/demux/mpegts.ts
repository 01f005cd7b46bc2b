/** Source segments in MPEG-TS. */

import { DomainError } from '../../domain/errors.ts';
import { listCodecs, MEDIA_FORMATS } from '../../domain/media-format.ts';
import { AAC_FRAME_SAMPLES, type FramedAudioCodec } from './audio-frames.ts';
import type { DemuxedSegment, Demuxer } from './demuxed-segment.ts';
import { readAudio } from './mpegts-audio.ts';
import {
  type ElementaryStream,
  isTransportStream,
  parseTransportStream,
} from './mpegts-packets.ts';
import { readVideo } from './mpegts-video.ts';
import type { NalCodec } from './nal-units.ts';

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
const PRIVATE_DATA = 0x06;
const AC3_DESCRIPTOR = 0x6a;
const EAC3_DESCRIPTOR = 0x7a;

/** Refused by name. Streams of types in no table are data, and ignored. */
const REFUSED_TYPES: ReadonlyMap<number, string> = new Map([
  [0x01, 'MPEG-1 video'],
  [0x02, 'MPEG-2 video'],
  [0x10, 'MPEG-4 part 2 video'],
  [0x11, 'AAC in LATM'],
  [0x33, 'H.266 video'],
  [0x82, 'DTS'],
  [0xea, 'VC-1 video'],
]);

export const mpegTs: Demuxer = {
  formatName: 'MPEG-TS',
  recognizes: isTransportStream,
  read: readMpegTs,
};

/** Throws DomainError: `unsupported_media`, `truncated_segment`, `no_keyframe`, `no_parameter_sets`. */
async function readMpegTs(bytes: Uint8Array): Promise<DemuxedSegment> {
  const { streams, pesPackets } = parseTransportStream(bytes);
  const packetsOf = (stream: ElementaryStream) => pesPackets.get(stream.pid) ?? [];
  for (const { streamType } of streams) {
    const refused = REFUSED_TYPES.get(streamType);
    if (refused) throw unsupportedStream(refused);
  }
  const videoStream = streams.find(
    (stream) => VIDEO_TYPES.has(stream.streamType) && packetsOf(stream).length > 0,
  );
  const codec = videoStream && VIDEO_TYPES.get(videoStream.streamType);
  const video =
    videoStream && codec
      ? await readVideo(bytes, videoStream.pid, codec, packetsOf(videoStream))
      : undefined;
  const audio = streams.flatMap((stream) => {
    const audioCodec = audioCodecOf(stream);
    const track = audioCodec && readAudio(stream, audioCodec, packetsOf(stream));
    if (track?.codec === 'aac' && track.samplesPerPacket > AAC_FRAME_SAMPLES) {
      throw unsupportedStream('AAC with several blocks in a frame');
    }
    return track ? [track] : [];
  });
  return { container: 'ts', ...(video ? { video } : {}), audio, notices: [] };
}

const unsupportedStream = (name: string): DomainError => {
  const { video, audio } = MEDIA_FORMATS.ts;
  return new DomainError(
    'unsupported_media',
    `The segment has a stream of ${name}.`,
    `Encode video as ${listCodecs(video)}, and audio as ${listCodecs(audio)}.`,
  );
};

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
