/** Silence as AAC-LC, written by its syntax: no encoder runs for it. */

import { AAC_FRAME_SAMPLES, AAC_LC, aacConfig } from '../demux/audio-frames.ts';
import type { RenditionSegment, TimedSample } from '../mux/cmaf.ts';
import { type AudioAnchor, outputRate, samplesAt } from './frame-alignment.ts';
import { audioPiece, frameSample } from './piece.ts';

/**
 * `single_channel_element()` and `channel_pair_element()` without scale factor bands, then the end of
 * the raw data block (ISO/IEC 14496-3, 4.4.2.1 and 4.4.2.7). An element says neither the sampling rate
 * nor how many samples a frame has, so one frame serves all.
 */
const ID_SCE = '000';
const ID_CPE = '001';
const ID_END = '111';
const INSTANCE_TAG = '0000';
/** A long window without scale factor bands (`max_sfb` 0) and without prediction. */
const ICS_INFO = '0 00 0 000000 0';
const GLOBAL_GAIN = '00000000';
/** No pulses, no temporal noise shaping, no gain control. */
const NO_TOOLS = '000';
const COMMON_WINDOW = '1';
const NO_MID_SIDE = '00';

const bytesOf = (...fields: readonly string[]): Uint8Array => {
  const bits = fields.join('').replaceAll(' ', '');
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
};

const CHANNEL = [GLOBAL_GAIN, NO_TOOLS];
const MONO = bytesOf(ID_SCE, INSTANCE_TAG, GLOBAL_GAIN, ICS_INFO, NO_TOOLS, ID_END);
const STEREO = bytesOf(
  ...[ID_CPE, INSTANCE_TAG, COMMON_WINDOW, ICS_INFO, NO_MID_SIDE],
  ...[...CHANNEL, ...CHANNEL, ID_END],
);

/** A raw AAC-LC frame of silence, without ADTS header, for any sampling rate and one or two channels. */
export const silentFrame = (channels: number): Uint8Array => (channels === 1 ? MONO : STEREO);

/** `count` frames of `samplesPerFrame` PCM samples each, for a fragment. */
export function silentFrames(
  count: number,
  channels: number,
  samplesPerFrame: number = AAC_FRAME_SAMPLES,
): TimedSample[] {
  const sample = frameSample(silentFrame(channels), samplesPerFrame);
  return Array.from({ length: count }, () => sample);
}

export type SilenceRequest = Readonly<{
  /** Of the rendition's pieces beside it, so that the init segment is the same. */
  sampleRateHz: number;
  /** More than two are taken for two. */
  channels: number;
  /** BCP 47; left out: `und`. */
  language?: string;
  /** The span to cover, in ticks of 90 kHz on the timeline: from the end of the piece before on. */
  startTicks: number;
  endTicks: number;
  /** Of the run's track: where its first frame begins. */
  anchor: Pick<AudioAnchor, 'startTicks'>;
}>;

/**
 * A piece of an audio rendition, for an entry whose source segment has no packet of the track; made at
 * once, without ffmpeg. Covers [startTicks, endTicks) in whole AAC frames of 1024 samples, one at
 * least, each end at the nearest frame that is counted from the anchor: so it abuts the pieces that
 * jobs make of the same track to the sample. `startTicks` and `durationTicks` of the result say what it
 * covers, to the tick. `coverAudio` tells the span.
 */
export function silentPiece(request: SilenceRequest): RenditionSegment {
  const { language = 'und', anchor } = request;
  const channels = Math.min(request.channels || 2, 2);
  const sampleRateHz = outputRate(request.sampleRateHz);
  const frameAt = (ticks: number): number =>
    Math.round(samplesAt(ticks - anchor.startTicks, sampleRateHz) / AAC_FRAME_SAMPLES);
  const first = frameAt(request.startTicks);
  const count = Math.max(1, frameAt(request.endTicks) - first);
  return audioPiece({
    config: aacConfig(AAC_LC, sampleRateHz, channels),
    codecString: `mp4a.40.${AAC_LC}`,
    ...{ sampleRateHz, channels, language, anchor },
    startSample: first * AAC_FRAME_SAMPLES,
    samples: silentFrames(count, channels),
  });
}
