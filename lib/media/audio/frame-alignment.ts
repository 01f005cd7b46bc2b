/**
 * Frame alignment that all segments of a run share: every job counts packets in samples from the
 * run's anchor instead of trusting timestamps, which 90 kHz (and milliseconds) round. So segments
 * that were encoded apart abut exactly. Pure.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { AAC_FRAME_SAMPLES, isAacSampleRate } from '../demux/audio-frames.ts';
import type { RenditionFormat } from './rendition-format.ts';

/** Where a run's first frame of the track begins, in timeline ticks, and the format of its rendition. */
export type AudioAnchor = Readonly<{ startTicks: number }> & RenditionFormat;

export const samplesAt = (ticks: number, sampleRateHz: number): number =>
  (ticks * sampleRateHz) / TICKS_PER_SECOND;

export const ticksOfSamples = (samples: number, sampleRateHz: number): number =>
  (samples * TICKS_PER_SECOND) / sampleRateHz;

/** Of AAC for a source of this rate: the same, unless AAC has no name for it (ISO/IEC 14496-3, 1.6.3.4). */
export const outputRate = (sampleRateHz: number): number =>
  isAacSampleRate(sampleRateHz) ? sampleRateHz : 48_000;

/**
 * For each packet, how many packets lie between the anchor and it. Grows by one from packet to
 * packet, by more over lost packets. `starts` in timeline ticks.
 */
export function alignPackets(
  starts: readonly number[],
  samplesPerPacket: number,
  { startTicks, sampleRateHz }: Omit<AudioAnchor, 'channels'>,
): number[] {
  const positions: number[] = [];
  for (const start of starts) {
    const nearest = Math.round(samplesAt(start - startTicks, sampleRateHz) / samplesPerPacket);
    positions.push(Math.max(nearest, (positions.at(-1) ?? Number.NEGATIVE_INFINITY) + 1));
  }
  return positions;
}

/**
 * How far past a frame's own samples the encoder looks for attacks, to choose the frame's window: 544
 * samples in ffmpeg's. Without them the windows of two segments do not fit together where one begins.
 */
const LOOKAHEAD_SAMPLES = 576;

/**
 * The last sample, counted from the anchor, up to which frames of an encoder can be made when its
 * input ends at `sample`: a frame needs samples up to 2048 after its start, and the lookahead. So
 * nothing of the next segment is needed, and audio is one to two frames early against its video.
 */
export const encodedUpTo = (sample: number): number =>
  (Math.floor((sample - LOOKAHEAD_SAMPLES) / AAC_FRAME_SAMPLES) - 1) * AAC_FRAME_SAMPLES;

export type EncodePlan = Readonly<{
  /** Silence in front of the decoded samples; negative: samples to cut off. */
  padSamples: number;
  /** Of the AAC frames that the encoder gives, which belong to the segment. */
  firstFrame: number;
  frames: number;
}>;

/**
 * Which of an encoder's frames are a segment's: the first frame of an encoder that starts at sample E
 * begins at E - 1024. It starts a frame earlier than the segment's first, or with the pre-roll.
 *
 * `inputStart`: first decoded sample, pre-roll included; `start`, `end`: of the piece, in whole frames;
 * all counted from the anchor.
 */
export function planEncode(inputStart: number, start: number, end: number): EncodePlan {
  const first = start / AAC_FRAME_SAMPLES;
  const encoderFrame = Math.min(first, Math.ceil(inputStart / AAC_FRAME_SAMPLES));
  return {
    padSamples: inputStart - encoderFrame * AAC_FRAME_SAMPLES,
    firstFrame: first + 1 - encoderFrame,
    frames: end / AAC_FRAME_SAMPLES - first,
  };
}
