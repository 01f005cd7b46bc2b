/** One audio track of a segment becomes AAC in CMAF: copied where it can be, else encoded. */

import { aacChannels } from '../demux/audio-frames.ts';
import type { RenditionSegment, TimedSample } from '../mux/cmaf.ts';
import { MIN_SILENT_FRAMES } from './coverage.ts';
import { encodeTrack } from './encode-track.ts';
import { type AudioAnchor, alignPackets, samplesAt } from './frame-alignment.ts';
import { type AacFrames, audioPiece, frameSample } from './piece.ts';
import { isCopied } from './rendition-format.ts';
import { silentFrames } from './silence.ts';
import type { StretchInput } from './stretches.ts';

export type AudioJobInput = StretchInput &
  Readonly<{
    anchor: AudioAnchor;
    /** A track that cannot be decoded becomes silence: it must not stop the picture beside it. */
    mayBeSilent: boolean;
    folder: string;
    signal: AbortSignal;
  }>;

/**
 * Throws DomainError `undecodable` when no packet can be decoded or the format changes too often inside
 * the segment, and the piece may not be silent; FfmpegError.
 */
export async function makeAudioRendition(job: AudioJobInput): Promise<RenditionSegment> {
  const { track, anchor } = job;
  const frames =
    isCopied(track, anchor) && track.config && !track.changes
      ? copyPackets(job, track.config)
      : await encodeTrack(job);
  const { language, describesVideo } = track;
  return audioPiece({ ...frames, language, ...(describesVideo && { describesVideo }), anchor });
}

function copyPackets(
  { track, timestampOffsetTicks, anchor, coverage }: AudioJobInput,
  config: Uint8Array,
): AacFrames {
  const { samplesPerPacket, sampleRateHz, codecString } = track;
  const channels = aacChannels(config) || track.channels;
  const positionAt = (ticks: number): number =>
    Math.round(samplesAt(ticks - anchor.startTicks, sampleRateHz) / samplesPerPacket);
  const starts = track.packets.map(({ startTicks }) => startTicks + timestampOffsetTicks);
  const positions = alignPackets(starts, samplesPerPacket, anchor);
  const start = positionAt(coverage.startTicks);
  const end = positionAt(coverage.endTicks);
  const samples: TimedSample[] = [];
  let at = start;
  const goTo = (position: number): void => {
    const missing = position - at;
    const last = samples.at(-1);
    if (missing >= MIN_SILENT_FRAMES || !last) {
      for (const frame of silentFrames(missing, channels, samplesPerPacket)) samples.push(frame);
    } else if (missing > 0) {
      samples[samples.length - 1] = frameSample(last.bytes, last.durationTicks + samplesPerPacket);
    }
    at = position;
  };
  track.packets.forEach(({ bytes }, index) => {
    const position = positions[index] ?? 0;
    if (position < start || position >= end) return;
    goTo(position);
    samples.push(frameSample(bytes, samplesPerPacket));
    at += 1;
  });
  goTo(end);
  const startSample = start * samplesPerPacket;
  return { config, codecString, sampleRateHz, channels: track.channels, startSample, samples };
}
