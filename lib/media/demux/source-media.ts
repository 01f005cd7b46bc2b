/** A source segment taken apart: its pictures' times and its audio packets, whatever the container. */

import type { AudioCodec, SegmentFacts, VideoCodec } from '../../domain/segment.ts';

/** `init`: for fragments whose init segment came apart. */
export type SegmentBytes = Readonly<{ bytes: Uint8Array; init?: Uint8Array }>;

export type SourceFrame = Readonly<{
  ptsTicks: number;
  /** As the container says; MPEG-TS does not. */
  durationTicks?: number;
}>;

export type SourceVideo = Readonly<{
  codec: VideoCodec;
  codecString: string;
  /** Display size: rotation and pixel aspect applied. */
  widthPx: number;
  heightPx: number;
  /** Whether the stream says by which matrix its colours were made; decoders guess otherwise. */
  saysMatrix: boolean;
  startsClosed: boolean;
  /** In decode order. */
  frames: readonly SourceFrame[];
}>;

export type SourceAudioPacket = Readonly<{
  startTicks: number;
  /** Raw: without ADTS header. */
  bytes: Uint8Array;
}>;

export type SourceAudio = Readonly<{
  codec: AudioCodec;
  codecString: string;
  sampleRateHz: number;
  channels: number;
  samplesPerPacket: number;
  /** BCP 47. */
  language: string;
  /** AudioSpecificConfig of AAC, OpusHead of Opus. */
  config?: Uint8Array;
  packets: readonly SourceAudioPacket[];
}>;

export type SourceMedia = Readonly<{
  container: SegmentFacts['container'];
  video?: SourceVideo;
  audio: readonly SourceAudio[];
}>;

/** BCP 47 tag for what containers say, which is ISO 639-2: `eng` → `en`. */
export function languageTag(code: string | undefined): string {
  if (!code || !/^[a-z]{2,3}$/i.test(code) || code.toLowerCase() === 'und') return 'und';
  return Intl.getCanonicalLocales(code)[0] ?? 'und';
}
