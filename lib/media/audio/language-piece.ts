/**
 * The piece of a language that an entry of the timeline lists, of frames that were uploaded on their own.
 * A frame belongs to the entry that it begins in, so none is lost or doubled, whatever the cuts of either.
 * Where there is none it is silent.
 */

import type { RenditionInfo } from '../../domain/timeline.ts';
import { AAC_FRAME_SAMPLES, AAC_LC, aacConfig } from '../demux/audio-frames.ts';
import type { RenditionSegment, TimedSample } from '../mux/cmaf.ts';
import { samplesAt } from './frame-alignment.ts';
import { audioPiece, frameSample } from './piece.ts';
import { COMPOSED_CODEC } from './rendition-format.ts';
import { silentFrame } from './silence.ts';

/** On the timeline of the entry, in samples. */
export type PlacedFrame = Readonly<{ start: number; samples: number; bytes: Uint8Array }>;

type AudioInfo = Extract<RenditionInfo, { kind: 'audio' }>;

export type LanguagePieceRequest = Readonly<{
  info: Omit<AudioInfo, 'kind' | 'codecString'>;
  /** Of the entry, in ticks of 90 kHz. */
  startTicks: number;
  endTicks: number;
  /** In order, without overlap; those around the entry, too. */
  frames: readonly PlacedFrame[];
}>;

export type LanguagePiece = RenditionSegment & Readonly<{ frames: number }>;

/** `frames` of the result: those that the entry has of the language; 0 if it is silent as a whole. */
export function languagePiece(request: LanguagePieceRequest): LanguagePiece {
  const { sampleRateHz, channels, language, describesVideo } = request.info;
  const start = samplesAt(request.startTicks, sampleRateHz);
  const end = samplesAt(request.endTicks, sampleRateHz);
  const own = request.frames.filter((frame) => frame.start >= start && frame.start < end);
  const before = request.frames.findLast((frame) => frame.start < start);
  const startSample = Math.max(Math.round(start), before ? endOf(before) : 0);
  const samples: TimedSample[] = [];
  let at = startSample;
  for (const frame of own) {
    samples.push(...silenceFor(frame.start - at, channels));
    samples.push(frameSample(frame.bytes, frame.samples));
    at = endOf(frame);
  }
  samples.push(...silenceFor(Math.round(end) - at, channels));
  const piece = audioPiece({
    config: aacConfig(AAC_LC, sampleRateHz, channels),
    codecString: COMPOSED_CODEC,
    ...{ sampleRateHz, channels, language, ...(describesVideo && { describesVideo }) },
    ...{ startSample, samples, anchor: { startTicks: 0 } },
  });
  return { ...piece, frames: own.length };
}

/** The last frame is cut short where sound begins: what is heard stays in its place. */
function silenceFor(samples: number, channels: number): TimedSample[] {
  const silent: TimedSample[] = [];
  for (let left = samples; left > 0; left -= AAC_FRAME_SAMPLES) {
    silent.push(frameSample(silentFrame(channels), Math.min(left, AAC_FRAME_SAMPLES)));
  }
  return silent;
}

const endOf = ({ start, samples }: PlacedFrame): number => start + samples;

/** Times of the wall clock are rounded: an encoder that goes on under another name loses no frame by it. */
const MAX_OVERLAP_SAMPLES = 256;

/** Frames of several runs of an encoder, the oldest first. Where two overlap, the later run is heard. */
export function mergeRuns(runs: readonly (readonly PlacedFrame[])[]): PlacedFrame[] {
  const merged: PlacedFrame[] = [];
  for (const frames of runs.toReversed()) {
    const later = [...merged];
    const free = frames.filter((frame) => !later.some((other) => overlap(frame, other)));
    merged.push(...free);
  }
  merged.sort((a, b) => a.start - b.start);
  return merged.map((frame, index) => {
    const { start = endOf(frame) } = merged[index + 1] ?? {};
    return { ...frame, samples: Math.min(frame.samples, start - frame.start) };
  });
}

const overlap = (one: PlacedFrame, other: PlacedFrame): boolean =>
  one.start < endOf(other) - MAX_OVERLAP_SAMPLES && other.start < endOf(one) - MAX_OVERLAP_SAMPLES;
