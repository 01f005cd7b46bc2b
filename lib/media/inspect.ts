/** What a source segment is, from its bytes alone; and what the next segment's job will need of it. */

import { BufferSource, Input, MP4, QTFF } from 'mediabunny';
import { DomainError } from '../domain/errors.ts';
import type { AudioFacts, AudioPreroll, SegmentFacts, VideoFacts } from '../domain/segment.ts';
import { TICKS_PER_SECOND, ticksToSeconds } from '../domain/ticks.ts';
import { cutAudioTail } from './audio/preroll.ts';
import { describeContainer, recognizeContainer } from './demux/container.ts';
import { readSource } from './demux/demux.ts';
import { measureFrames } from './demux/frame-timing.ts';
import { readAudioParameters, readVideoParameters } from './demux/mp4.ts';
import { checkSampleTables } from './demux/sample-tables.ts';
import type { SourceAudio, SourceMedia, SourceVideo } from './demux/source-media.ts';

const MAX_SIDE_PX = 16_384;
const MAX_FRAMES_PER_SECOND = 300;
/** No encoder cuts such a segment: its timestamps jump. */
const MAX_SPAN_TICKS = 3600 * TICKS_PER_SECOND;

export type Inspection = Readonly<{ facts: SegmentFacts; preroll: readonly AudioPreroll[] }>;

/**
 * `init`: for fragments that come without one. Throws DomainError: `empty_body`,
 * `unsupported_media`, `truncated_segment`, `missing_init`, `no_keyframe`, `no_parameter_sets`,
 * `undecodable`.
 */
export async function inspectSegment(bytes: Uint8Array, init?: Uint8Array): Promise<Inspection> {
  const media = await readSource(bytes, init);
  const facts = factsOf(media);
  const preroll = media.audio.flatMap((track, index) => {
    const packets = cutAudioTail(track);
    return packets.length > 0 ? [{ track: index, packets }] : [];
  });
  return { facts, preroll };
}

export function factsOf({ container, video, audio }: SourceMedia): SegmentFacts {
  const videoFacts = video && factsOfVideo(video);
  const audioFacts = audio.map(factsOfAudio);
  const timed = videoFacts ?? audioFacts[0];
  if (!timed) {
    throw new DomainError(
      'undecodable',
      'The segment holds neither pictures nor sound.',
      'Send a segment with video, audio or both; check what the encoder maps into its output.',
    );
  }
  return {
    container,
    ...(videoFacts ? { video: videoFacts } : {}),
    audio: audioFacts,
    startTicks: timed.startTicks,
    endTicks: timed.endTicks,
  };
}

function factsOfVideo(video: SourceVideo): VideoFacts {
  const { codec, codecString, widthPx, heightPx, startsClosed, frames } = video;
  const timing = measureFrames(frames);
  const { startTicks, endTicks, framesPerSecond } = timing;
  const size = Math.max(widthPx, heightPx);
  if (!(Math.min(widthPx, heightPx) > 1) || size > MAX_SIDE_PX) {
    throw absurd(`The picture measures ${widthPx}x${heightPx}.`);
  }
  if (!(framesPerSecond <= MAX_FRAMES_PER_SECOND)) {
    throw absurd(`${frames.length} pictures last ${ticksToSeconds(endTicks - startTicks)} s.`);
  }
  checkSpan('video', startTicks, endTicks);
  return {
    codec,
    codecString,
    widthPx,
    heightPx,
    framesPerSecond,
    frames: frames.length,
    startTicks,
    endTicks,
    startsClosed,
  };
}

function factsOfAudio(track: SourceAudio): AudioFacts {
  const { packets, config: _, ...said } = track;
  const starts = packets.map(({ startTicks }) => startTicks);
  const startTicks = Math.min(...starts);
  const lastTicks = (track.samplesPerPacket * TICKS_PER_SECOND) / track.sampleRateHz;
  const endTicks = Math.round(Math.max(...starts) + lastTicks);
  checkSpan('audio', startTicks, endTicks);
  return { ...said, packets: packets.length, startTicks, endTicks };
}

function checkSpan(kind: string, startTicks: number, endTicks: number): void {
  const span = endTicks - startTicks;
  if (span > 0 && span <= MAX_SPAN_TICKS) return;
  throw absurd(
    `The ${kind} goes from ${ticksToSeconds(startTicks)} s to ${ticksToSeconds(endTicks)} s.`,
  );
}

const absurd = (message: string): DomainError =>
  new DomainError(
    'undecodable',
    message,
    'The timestamps or headers are broken; play the segment with ffplay to see.',
  );

export type InitFacts = Readonly<{
  video?: Pick<VideoFacts, 'codec' | 'codecString' | 'widthPx' | 'heightPx'>;
  audio: readonly Pick<
    AudioFacts,
    'codec' | 'codecString' | 'sampleRateHz' | 'channels' | 'language'
  >[];
}>;

/**
 * Checks an init segment that was pushed before its fragments. Throws DomainError: `empty_body`,
 * `unsupported_media`, `truncated_segment`, `undecodable`.
 */
export async function inspectInit(bytes: Uint8Array): Promise<InitFacts> {
  const container = recognizeContainer(bytes);
  if (container !== 'iso') {
    throw new DomainError(
      'unsupported_media',
      `This is ${describeContainer(container)}, not an MP4 init segment.`,
      'Send the boxes ftyp and moov that the encoder writes before its fragments.',
    );
  }
  checkSampleTables(bytes);
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4, QTFF] });
  try {
    const [pictured] = await input.getVideoTracks();
    const video = pictured && (await readVideoParameters(pictured));
    const audio = await Promise.all((await input.getAudioTracks()).map(readAudioParameters));
    if (!video && audio.length === 0) throw new Error('no track');
    return {
      ...(video
        ? {
            video: {
              codec: video.codec,
              codecString: video.codecString,
              widthPx: video.widthPx,
              heightPx: video.heightPx,
            },
          }
        : {}),
      audio,
    };
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw new DomainError(
      'undecodable',
      `The init segment cannot be read (${(error as Error).message}).`,
      'Send the boxes ftyp and moov, whole, that the encoder writes before its fragments.',
    );
  } finally {
    input.dispose();
  }
}
