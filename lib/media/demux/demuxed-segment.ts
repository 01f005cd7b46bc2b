/** A source segment taken apart: its frames' times and its audio packets, the same for every format. */

import type { AudioCodec, SourceFormat, VideoCodec } from '../../domain/media-format.ts';

/** `init`: for fragments whose init segment came apart. */
export type SegmentBytes = Readonly<{ bytes: Uint8Array; init?: Uint8Array | undefined }>;

/** One for each format that sources may have. */
export type Demuxer = Readonly<{
  /** For messages. */
  formatName: string;
  /** By the first bytes; says nothing about the rest. */
  recognizes(bytes: Uint8Array): boolean;
  /** Throws DomainError: `unsupported_media`, `truncated_segment`, `no_keyframe`, `undecodable` … */
  read(bytes: Uint8Array, init?: Uint8Array): Promise<DemuxedSegment>;
}>;

export type DemuxedFrame = Readonly<{
  ptsTicks: number;
  /** As the container says; MPEG-TS does not. */
  durationTicks?: number;
}>;

export type DemuxedVideo = Readonly<{
  codec: VideoCodec;
  /** RFC 6381. */
  codecString: string;
  /** Display size: rotation and pixel aspect applied. */
  widthPx: number;
  heightPx: number;
  /** Whether the stream names its colour matrix; decoders guess otherwise. */
  saysMatrix: boolean;
  /** Whether the first frame in decode order decodes without the segment before. */
  startsClosed: boolean;
  /** In decode order. */
  frames: readonly DemuxedFrame[];
}>;

export type DemuxedPacket = Readonly<{
  startTicks: number;
  /** Raw: without ADTS header. */
  bytes: Uint8Array;
}>;

export type DemuxedAudio = Readonly<{
  codec: AudioCodec;
  /** RFC 6381. */
  codecString: string;
  sampleRateHz: number;
  channels: number;
  /** PCM samples, at `sampleRateHz`. */
  samplesPerPacket: number;
  /** BCP 47; `und` when the container does not say. */
  language: string;
  /** AudioSpecificConfig of AAC, OpusHead of Opus. */
  config?: Uint8Array;
  packets: readonly DemuxedPacket[];
}>;

/** Times are the container's, in ticks of 90 kHz. */
export type DemuxedSegment = Readonly<{
  container: SourceFormat;
  video?: DemuxedVideo;
  audio: readonly DemuxedAudio[];
}>;

/** BCP 47 tag for what containers say, which is ISO 639-2: `eng` → `en`. */
export function languageTag(code: string | undefined): string {
  if (!code || !/^[a-z]{2,3}$/i.test(code) || code.toLowerCase() === 'und') return 'und';
  return Intl.getCanonicalLocales(code)[0] ?? 'und';
}
