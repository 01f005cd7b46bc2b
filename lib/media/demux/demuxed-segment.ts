/** A source segment taken apart: its frames' times and its audio packets, the same for every format. */

import { DomainError } from '../../domain/errors.ts';
import type { SourceFormat } from '../../domain/media-format.ts';
import type { Notice } from '../../domain/notice.ts';
import type { AudioFacts, VideoFacts } from '../../domain/segment.ts';
import type { Hdr } from './video-parameters.ts';

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

/** Of a track: four minutes of 120 frames a second, ten minutes of AAC. */
export const MAX_SAMPLES = 30_000;

export type NalFrame = Readonly<{ ptsTicks: number; units: Iterable<Uint8Array> }>;

export type DemuxedVideo = Omit<
  VideoFacts,
  'frames' | 'framesPerSecond' | 'startTicks' | 'endTicks'
> &
  Readonly<{
    /** Whether the stream names its colour matrix; decoders guess otherwise. */
    saysMatrix: boolean;
    /** Its light is not that of an ordinary screen: it has to be tone-mapped. */
    hdr?: Hdr;
    /** The size of the picture changes among the frames; width and height are those of the first. */
    changesSize?: boolean;
    /** Those that are shown, in decode order. */
    frames: readonly DemuxedFrame[];
    /**
     * With the frames of the segment before in front, if they are of the same codec. Called as a method:
     * the times are those of its own `frames`, and of `previous.frames`, also where they were put right.
     */
    decoderInput(previous?: DemuxedVideo): DecoderInput;
    /** NAL units of the frames that are shown, in decode order. Called as a method; absent: it has none. */
    nalFrames?(): Iterable<NalFrame>;
  }>;

/** A file for ffmpeg. Its only video stream is the track. */
export type DecoderInput = Readonly<{
  /** Name of the demuxer; ffmpeg is never left to guess it. */
  format: 'mpegts' | 'mov';
  bytes: Uint8Array;
  /** The frames of the segment before come first. */
  startsWithPrevious: boolean;
  /** ffmpeg reads all times later by this than `ptsTicks` says. */
  delayTicks: number;
  /** Frames that others need, but that are not shown, lie here; as `ptsTicks` says. */
  hidden?: readonly TickRange[];
}>;

/** `to` is the first tick behind it. */
export type TickRange = Readonly<{ from: number; to: number }>;

export type DemuxedPacket = Readonly<{
  startTicks: number;
  /** Raw: without ADTS header. */
  bytes: Uint8Array;
}>;

export type AudioFormat = Pick<
  AudioFacts,
  'codecString' | 'sampleRateHz' | 'channels' | 'samplesPerPacket'
> &
  Readonly<{
    /** AudioSpecificConfig of AAC, OpusHead of Opus. */
    config?: Uint8Array;
  }>;

/** The format of a track's packets from an index on. */
export type AudioChange = Readonly<{ fromPacket: number }> & AudioFormat;

/** The format is that of the first packets. */
export type DemuxedAudio = Omit<AudioFacts, 'packets' | 'startTicks' | 'endTicks'> &
  AudioFormat &
  Readonly<{
    packets: readonly DemuxedPacket[];
    /** In order; absent when the format stays. Times are those of each format's own rate. */
    changes?: readonly AudioChange[];
  }>;

/** Times are the container's, in ticks of 90 kHz. */
export type DemuxedSegment = Readonly<{
  container: SourceFormat;
  video?: DemuxedVideo;
  audio: readonly DemuxedAudio[];
  /** How far the encoder's clock stepped, if steps were taken out: times behind them are less by it. */
  clockStepTicks?: number;
  /** What was left out or put right. */
  notices: readonly Notice[];
}>;

export const truncated = (message: string): DomainError =>
  new DomainError(
    'truncated_segment',
    message,
    'The segment was cut or damaged on its way; send it again, whole.',
  );

/** BCP 47 tag for what containers say, which is ISO 639-2: `eng` → `en`. */
export function languageTag(code: string | undefined): string {
  if (!code || !/^[a-z]{2,3}$/i.test(code) || code.toLowerCase() === 'und') return 'und';
  return Intl.getCanonicalLocales(code)[0] ?? 'und';
}
