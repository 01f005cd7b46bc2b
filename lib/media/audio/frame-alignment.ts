/**
 * Frame alignment that all segments of a run share: every job counts packets in samples from the
 * run's anchor instead of trusting timestamps, which 90 kHz (and milliseconds) round. So segments
 * that were encoded apart abut exactly. Pure.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { AAC_FRAME_SAMPLES } from '../demux/audio-frames.ts';

/** Where a run's first frame of the track begins, in timeline ticks, and the rate that frames are counted at. */
export type AudioAnchor = Readonly<{ startTicks: number; sampleRateHz: number }>;

export const samplesAt = (ticks: number, sampleRateHz: number): number =>
  (ticks * sampleRateHz) / TICKS_PER_SECOND;

/**
 * For each packet, how many packets lie between the anchor and it. Grows by one from packet to
 * packet, by more over lost packets. `starts` in timeline ticks.
 */
export function alignPackets(
  starts: readonly number[],
  samplesPerPacket: number,
  { startTicks, sampleRateHz }: AudioAnchor,
): number[] {
  const positions: number[] = [];
  for (const start of starts) {
    const nearest = Math.round(samplesAt(start - startTicks, sampleRateHz) / samplesPerPacket);
    positions.push(Math.max(nearest, (positions.at(-1) ?? Number.NEGATIVE_INFINITY) + 1));
  }
  return positions;
}

export type EncodePlan = Readonly<{
  /** Silence in front of the decoded samples; negative: samples to cut off. */
  padSamples: number;
  /** Of the AAC frames that the encoder gives, which belong to the segment. */
  firstFrame: number;
  frames: number;
  /** Start of the first of them, in samples from the anchor. */
  startSample: number;
}>;

/**
 * How far past a frame's own samples the encoder looks for attacks, to choose the frame's window: 544
 * samples in ffmpeg's. Without them the windows of two segments do not fit together where one begins.
 */
const LOOKAHEAD_SAMPLES = 576;

/**
 * Which of an encoder's frames are this segment's. The first frame of an encoder that starts at sample
 * E begins at E - 1024, and a frame needs samples up to 2048 after its start, and the lookahead. So
 * that nothing of the next segment is needed, a segment ends with the last frame for which its own
 * samples suffice: its audio is one to two frames early against its video.
 *
 * `inputStart`: first decoded sample, pre-roll included; `start`, `end`: of the segment; all counted
 * from the anchor.
 */
export function planEncode(inputStart: number, start: number, end: number): EncodePlan {
  const frameAt = (sample: number): number =>
    Math.floor((sample - LOOKAHEAD_SAMPLES) / AAC_FRAME_SAMPLES);
  const first = frameAt(start);
  const encoderFrame = Math.min(first, Math.ceil(inputStart / AAC_FRAME_SAMPLES));
  return {
    padSamples: inputStart - encoderFrame * AAC_FRAME_SAMPLES,
    firstFrame: first - encoderFrame,
    frames: frameAt(end) - first,
    startSample: (first - 1) * AAC_FRAME_SAMPLES,
  };
}
