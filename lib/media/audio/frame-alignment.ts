/**
 * The grid of samples that all segments of a run share: seams are exact because every job counts
 * packets on it instead of trusting timestamps, which 90 kHz (and milliseconds) round. Pure.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';

/** Where a run's grid begins, in timeline ticks. */
export type AudioAnchor = Readonly<{ startTicks: number; sampleRateHz: number }>;

export const AAC_FRAME_SAMPLES = 1024;

export const samplesAt = (ticks: number, sampleRateHz: number): number =>
  (ticks * sampleRateHz) / TICKS_PER_SECOND;

/**
 * For each packet, how many packets lie between the anchor and it. Grows by one from packet to
 * packet, by more over a hole. `starts` in timeline ticks.
 */
export function placePackets(
  starts: readonly number[],
  samplesPerPacket: number,
  { startTicks, sampleRateHz }: AudioAnchor,
): number[] {
  const places: number[] = [];
  for (const start of starts) {
    const nearest = Math.round(samplesAt(start - startTicks, sampleRateHz) / samplesPerPacket);
    places.push(Math.max(nearest, (places.at(-1) ?? Number.NEGATIVE_INFINITY) + 1));
  }
  return places;
}

export type EncodePlan = Readonly<{
  /** Silence in front of the decoded samples; negative: samples to cut off. */
  padSamples: number;
  /** Of the AAC frames that the encoder gives, which belong to the segment. */
  firstFrame: number;
  frames: number;
  /** Label of the first of them, in samples from the anchor. */
  labelSamples: number;
}>;

/**
 * How far past a frame's own samples the encoder looks for attacks, to choose the frame's window: 544
 * samples in ffmpeg's. Without them the windows of two segments do not fit together where one begins.
 */
const LOOKAHEAD_SAMPLES = 576;

/**
 * Which of an encoder's frames are this segment's. The first one after E samples is labelled E - 1024,
 * and a frame needs samples up to 2048 after its label, and the look ahead. So that nothing of the
 * next segment is needed, a segment ends with the last frame for which its own samples suffice: its
 * audio is one to two frames early against its video.
 *
 * `fedStart`: first decoded sample, context included; `start`, `end`: of the segment; all counted
 * from the anchor. `keepsLast`: up to the last sample, for the end of a stream.
 */
export function planEncode(
  fedStart: number,
  start: number,
  end: number,
  keepsLast: boolean,
): EncodePlan {
  const frameAt = (sample: number): number =>
    Math.floor((sample - LOOKAHEAD_SAMPLES) / AAC_FRAME_SAMPLES);
  const first = frameAt(start);
  const last = keepsLast ? Math.ceil(end / AAC_FRAME_SAMPLES) + 1 : frameAt(end);
  const encoderFrame = Math.min(first, Math.ceil(fedStart / AAC_FRAME_SAMPLES));
  return {
    padSamples: fedStart - encoderFrame * AAC_FRAME_SAMPLES,
    firstFrame: first - encoderFrame,
    frames: last - first,
    labelSamples: (first - 1) * AAC_FRAME_SAMPLES,
  };
}
