/** A source segment: what its upload found, and the outcome of its job. */

import type { CaptionChannel } from './captions/closed-captions.ts';
import type { AudioCodec, SourceFormat, VideoCodec } from './media-format.ts';
import type { Notice } from './notice.ts';
import type { Thumbnails } from './pictures/thumbnails.ts';
import type { EntryRendition, RenditionInfo } from './timeline.ts';

export type VideoFacts = Readonly<{
  codec: VideoCodec;
  /** RFC 6381, e.g. `avc1.64001f`. */
  codecString: string;
  /** Display size: rotation and pixel aspect applied. */
  widthPx: number;
  heightPx: number;
  framesPerSecond: number;
  frames: number;
  /** Smallest presentation time and the end of the last frame; 90 kHz, times of the container. */
  startTicks: number;
  endTicks: number;
  /** Whether the first frame in decode order decodes without the segment before (IDR, not open GOP). */
  startsClosed: boolean;
  /** Whether any frame is shown before one that precedes it in decode order. */
  isReordered?: true;
  /** Whether any frame is shown before the first in decode order (H.264 open GOP; H.265 RADL and RASL). */
  isLed?: true;
}>;

export type AudioFacts = Readonly<{
  /** The container's name of the track, the same in all segments of a run: PID, or track_ID. */
  trackId: number;
  codec: AudioCodec;
  codecString: string;
  sampleRateHz: number;
  channels: number;
  packets: number;
  /** PCM samples in one packet: 1024 AAC-LC, 1152 MP3, 1536 AC-3, 960 Opus at 20 ms. */
  samplesPerPacket: number;
  startTicks: number;
  endTicks: number;
  /** BCP 47; `und` if the container gives none. */
  language: string;
  /** The container says that the track is an audio description. */
  describesVideo?: true;
}>;

/** What the upload reads from a segment's bytes. At least one of video and audio is present. */
export type SegmentFacts = Readonly<{
  container: SourceFormat;
  video?: VideoFacts;
  audio: readonly AudioFacts[];
  /** Of the video if there is one, else of the first audio track. */
  startTicks: number;
  endTicks: number;
  /**
   * The end is a guess: the container does not say how long the last frame lasts, and the rate of the
   * others does not tell.
   */
  endIsGuess?: true;
  /** How far the encoder's clock stepped inside the segment: times behind a step are less by it. */
  clockStepTicks?: number;
  /** For the receipt. */
  notices?: readonly Notice[];
}>;

/**
 * Pre-roll: the last packets of an audio track, which prime the encoder in the next segment's job.
 * Base64 of the raw elementary packets (no ADTS headers), oldest first.
 */
export type AudioPreroll = Readonly<{ track: number; packets: readonly string[] }>;

/** A source segment that was acknowledged. */
export type SourceSegment = Readonly<{
  run: number;
  number: number;
  digest: string;
  sizeBytes: number;
  sourceKey: string;
  /** For fMP4 whose init came apart from the fragments. */
  initKey?: string;
  facts: SegmentFacts;
  preroll: readonly AudioPreroll[];
  /** Timestamp offset: added to the container's times for the timeline's. */
  timestampOffsetTicks: number;
  uploadedAtMs: number;
  /** The file name that it was pushed under. */
  name?: string;
  /** Of a whole file: live segments are transcoded first. */
  ofFile?: true;
}>;

export type RenderedPiece = Readonly<{
  startTicks: number;
  durationTicks: number;
  renditions: Readonly<Record<string, EntryRendition>>;
  thumbnails?: Thumbnails;
}>;

/** The job has made every rendition of the segment. */
export type RenderedOutcome = Readonly<{
  type: 'rendered';
  run: number;
  number: number;
  /** Of the whole segment. */
  startTicks: number;
  durationTicks: number;
  /** Empty if it was cut into `pieces`. */
  renditions: Readonly<Record<string, EntryRendition>>;
  /** Of a segment that is longer than the target duration: its pieces, in order. */
  pieces?: readonly RenderedPiece[];
  /** Of a segment that was not cut; absent: none could be made, or it has no picture. */
  thumbnails?: Thumbnails;
  /** Wall clock of its start, if the encoder said it. */
  programDateTimeMs?: number;
  catalogue: Readonly<Record<string, RenditionInfo>>;
  /** Channels of closed captions that the video has; their bytes are in a record of their own. */
  closedCaptions?: readonly CaptionChannel[];
  /** Object key of the segment's first picture; only of a segment that begins a new half minute. */
  poster?: string;
  /** Of the source segment; absent in outcomes from before it was recorded. */
  sourceBytes?: number;
  /** Of the source segment. */
  uploadedAtMs: number;
  /** When a worker took the job; absent in outcomes from before it was recorded. */
  startedAtMs?: number;
  completedAtMs: number;
}>;

/** What of it is listed, in order: as a whole, or in several pieces. */
export const piecesOf = (outcome: RenderedOutcome): readonly RenderedPiece[] =>
  outcome.pieces ?? [outcome];

/** What a segment takes in the store: its source, renditions and thumbnails. Init segments and posters are not counted. */
export const storedBytesOf = (outcome: RenderedOutcome): number =>
  piecesOf(outcome)
    .flatMap(({ renditions, thumbnails }) => [
      ...Object.values(renditions),
      ...(thumbnails ? [thumbnails] : []),
    ])
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, outcome.sourceBytes ?? 0);

/** Outcome of a segment's job; recorded once, never changed. */
export type SegmentOutcome =
  | RenderedOutcome
  | (Pick<RenderedOutcome, 'run' | 'number' | 'completedAtMs'> &
      Readonly<{ type: 'failed'; reason: string }>);
