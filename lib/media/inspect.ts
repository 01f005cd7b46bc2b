/** Facts about a source segment, from its bytes alone, and the pre-roll that the next segment's job needs of it. */

import { DomainError } from '../domain/errors.ts';
import { limitNotices } from '../domain/notice.ts';
import type { AudioFacts, AudioPreroll, SegmentFacts, VideoFacts } from '../domain/segment.ts';
import {
  MAX_AUDIO_TRACKS,
  MAX_FRAME_PIXELS,
  MAX_FRAMES,
  MAX_PIXELS,
  pixelsOf,
} from '../domain/segment-work.ts';
import { TICKS_PER_SECOND, ticksToSeconds } from '../domain/ticks.ts';
import { cutPreroll } from './audio/preroll.ts';
import { demuxSegment, describeFormat } from './demux/demux.ts';
import type { DemuxedAudio, DemuxedSegment, DemuxedVideo } from './demux/demuxed-segment.ts';
import { type FrameTiming, measureFrames } from './demux/frame-rate.ts';
import { checkInit } from './demux/mp4.ts';
import { isoKind } from './iso-boxes.ts';

const MAX_SIDE_PX = 16_384;
const MAX_FRAMES_PER_SECOND = 300;
/** Of all tracks, in Base64: as 16 of AC-3 at 640 kbit/s have. An item of DynamoDB has 409,600 bytes. */
const MAX_PREROLL_CHARACTERS = 385_000;
/** A longer segment is one whose timestamps jump: no encoder cuts it so. */
const MAX_SPAN_TICKS = 900 * TICKS_PER_SECOND;

export type Inspection = Readonly<{ facts: SegmentFacts; preroll: readonly AudioPreroll[] }>;

/**
 * `init`: for fragments that come without one. Throws DomainError: `empty_body`,
 * `unsupported_media`, `truncated_segment`, `missing_init`, `no_keyframe`, `no_parameter_sets`,
 * `undecodable`.
 */
export async function inspectSegment(bytes: Uint8Array, init?: Uint8Array): Promise<Inspection> {
  const media = limitTracks(await demuxSegment(bytes, init));
  const facts = factsOf(media);
  return { facts, preroll: cutPrerolls(media.audio) };
}

/**
 * A track whose packets are larger than any encoder makes them goes without: its sound then has a seam,
 * and the record of the segment stays one that a table takes.
 */
function cutPrerolls(tracks: readonly DemuxedAudio[]): AudioPreroll[] {
  let leftCharacters = MAX_PREROLL_CHARACTERS;
  return tracks.flatMap((track, index) => {
    const packets = cutPreroll(track);
    const characters = packets.reduce((sum, packet) => sum + packet.length, 0);
    if (characters === 0 || characters > leftCharacters) return [];
    leftCharacters -= characters;
    return [{ track: index, packets }];
  });
}

/** Each track costs a run of ffmpeg. */
function limitTracks(media: DemuxedSegment): DemuxedSegment {
  const { audio, notices } = media;
  if (audio.length <= MAX_AUDIO_TRACKS) return media;
  const message = `Of ${audio.length} audio tracks the first ${MAX_AUDIO_TRACKS} are taken.`;
  return {
    ...media,
    audio: audio.slice(0, MAX_AUDIO_TRACKS),
    notices: [{ code: 'track_ignored', message }, ...notices],
  };
}

function factsOf(media: DemuxedSegment): SegmentFacts {
  const { container, video, audio, clockStepTicks, notices } = media;
  const audioFacts = audio.map(factsOfAudio);
  const audioEndTicks = audioFacts.reduce((end, { endTicks }) => Math.max(end, endTicks), 0);
  const timing = video && measureFrames(video.frames, audioEndTicks);
  const videoFacts = video && timing && factsOfVideo(video, timing);
  const timed = videoFacts ?? audioFacts[0];
  if (!timed) {
    throw new DomainError(
      'undecodable',
      'The segment holds neither video nor audio.',
      'Send a segment with video, audio or both; check what the encoder maps into its output.',
    );
  }
  const { startTicks, endTicks } = timed;
  return {
    container,
    ...(videoFacts && { video: videoFacts }),
    audio: audioFacts,
    startTicks,
    endTicks,
    ...(timing?.endIsGuess && { endIsGuess: true }),
    ...(clockStepTicks !== undefined && { clockStepTicks }),
    ...(notices.length > 0 && { notices: limitNotices(notices) }),
  };
}

function factsOfVideo(video: DemuxedVideo, timing: FrameTiming): VideoFacts {
  const { codec, codecString, widthPx, heightPx, startsClosed, frames } = video;
  const { startTicks, endTicks, framesPerSecond } = timing;
  const size = Math.max(widthPx, heightPx);
  if (!(Math.min(widthPx, heightPx) > 1) || size > MAX_SIDE_PX) {
    throw implausible(`The video measures ${widthPx}x${heightPx}.`);
  }
  if (!(framesPerSecond <= MAX_FRAMES_PER_SECOND)) {
    throw implausible(`${frames.length} frames last ${ticksToSeconds(endTicks - startTicks)} s.`);
  }
  checkSpan('video', startTicks, endTicks);
  checkWork(widthPx, heightPx, frames.length);
  return {
    ...{ codec, codecString, widthPx, heightPx, startsClosed },
    ...{ startTicks, endTicks, framesPerSecond },
    frames: frames.length,
    ...(isReordered(frames) && { isReordered: true }),
    ...(startTicks < (frames[0]?.ptsTicks ?? 0) && { isLed: true }),
  };
}

const isReordered = (frames: DemuxedVideo['frames']): boolean =>
  frames.some(({ ptsTicks }, index) => ptsTicks < (frames[index - 1]?.ptsTicks ?? ptsTicks));

function factsOfAudio(track: DemuxedAudio): AudioFacts {
  const { packets, config: _, changes, ...parameters } = track;
  const times = packets.map((packet) => packet.startTicks);
  const startTicks = times.reduce((a, b) => Math.min(a, b));
  const { samplesPerPacket, sampleRateHz } = changes?.at(-1) ?? track;
  const lastTicks = (samplesPerPacket * TICKS_PER_SECOND) / sampleRateHz;
  const endTicks = Math.round(times.reduce((a, b) => Math.max(a, b)) + lastTicks);
  checkSpan('audio', startTicks, endTicks);
  return { ...parameters, packets: packets.length, startTicks, endTicks };
}

/** Before a worker sees it: a small body may hold pictures without end that say nothing. */
function checkWork(widthPx: number, heightPx: number, frames: number): void {
  const size = `${widthPx}x${heightPx}`;
  if (widthPx * heightPx > MAX_FRAME_PIXELS) {
    throw new DomainError(
      'undecodable',
      `The video measures ${size}; pictures of up to ${MAX_FRAME_PIXELS} pixels are taken, as 8192x4352.`,
      'Have the encoder scale it down.',
    );
  }
  if (frames > MAX_FRAMES || pixelsOf({ widthPx, heightPx, frames }) > MAX_PIXELS) {
    throw new DomainError(
      'undecodable',
      `${frames} pictures of ${size} are too many for one segment.`,
      `Cut shorter segments: of this size up to ${Math.min(MAX_FRAMES, Math.floor(MAX_PIXELS / (widthPx * heightPx)))} pictures.`,
    );
  }
}

function checkSpan(kind: string, startTicks: number, endTicks: number): void {
  const span = endTicks - startTicks;
  if (span > 0 && span <= MAX_SPAN_TICKS) return;
  throw implausible(
    `The ${kind} goes from ${ticksToSeconds(startTicks)} s to ${ticksToSeconds(endTicks)} s.`,
  );
}

const implausible = (message: string): DomainError =>
  new DomainError(
    'undecodable',
    message,
    'The timestamps or headers are broken; play the segment with ffplay to see.',
  );

/**
 * Checks an init segment that was pushed before its fragments: its tracks can be read, and have
 * codecs that are taken. Throws DomainError: `empty_body`, `unsupported_media`, `undecodable`.
 */
export async function inspectInit(bytes: Uint8Array): Promise<void> {
  if (isoKind(bytes) !== undefined) return checkInit(bytes);
  throw new DomainError(
    'unsupported_media',
    `This is ${describeFormat(bytes)}, not an MP4 init segment.`,
    'Send the boxes ftyp and moov that the encoder writes before its fragments.',
  );
}
