/** Writes AAC frames as a piece of an audio rendition, which tells where it lies on the timeline. */

import { aacInit } from '../mux/aac-init.ts';
import { type RenditionSegment, type TimedSample, writeFragment } from '../mux/cmaf.ts';
import { type AudioAnchor, samplesAt, ticksOfSamples } from './frame-alignment.ts';

export type AacFrames = Readonly<{
  /** AudioSpecificConfig. */
  config: Uint8Array;
  /** RFC 6381. */
  codecString: string;
  sampleRateHz: number;
  channels: number;
  /** Of the first frame, in samples from the anchor. */
  startSample: number;
  /** Times in samples. */
  samples: readonly TimedSample[];
}>;

export const frameSample = (bytes: Uint8Array, samples: number): TimedSample => {
  return { bytes, isSync: true, durationTicks: samples, compositionTicks: 0 };
};

/** `language`: BCP 47, or `und`. */
export function audioPiece(
  piece: AacFrames &
    Readonly<{
      language: string;
      describesVideo?: true;
      anchor: Pick<AudioAnchor, 'startTicks'>;
    }>,
): RenditionSegment {
  const { config, codecString, sampleRateHz, channels, samples, language, describesVideo } = piece;
  const start = Math.round(samplesAt(piece.anchor.startTicks, sampleRateHz)) + piece.startSample;
  const end = samples.reduce((at, { durationTicks }) => at + durationTicks, start);
  const startTicks = Math.round(ticksOfSamples(start, sampleRateHz));
  return {
    init: aacInit({ config, sampleRateHz, channels }),
    media: writeFragment(start, samples, 1),
    info: {
      ...{ kind: 'audio', codecString, channels, sampleRateHz, language },
      ...(describesVideo && { describesVideo }),
    },
    startTicks,
    durationTicks: Math.round(ticksOfSamples(end, sampleRateHz)) - startTicks,
  };
}
