/** The packets of a track in a segment as stretches of one format each, placed on the run's grid of samples. */

import { DomainError } from '../../domain/errors.ts';
import { type AudioFrameHeader, parseAudioFrame } from '../demux/audio-frames.ts';
import type { AudioChange, DemuxedAudio } from '../demux/demuxed-segment.ts';
import type { Coverage, TrackedSegment } from './coverage.ts';
import { type AudioAnchor, alignPackets, samplesAt } from './frame-alignment.ts';

/** Each one is a decoder; sound that changes more often is broken. */
const MAX_STRETCHES = 16;

/** How far outside of the span packets are still heard by an encoder in it. */
const CONTEXT_SAMPLES = 16 * 1024;

/** Of the lost packets, so many runs are muted; in the others, the shortest, the packet before is heard again. */
const MAX_MUTED = 64;

export type Stretch = Readonly<{
  /** With the format of the stretch. */
  track: DemuxedAudio;
  /** One behind the other; lost ones are filled. */
  packets: readonly Uint8Array[];
  /** Where filled packets lie, from the first packet on. */
  mutedSeconds: readonly Readonly<{ start: number; end: number }>[];
  /** Samples of the output from the anchor. */
  startSample: number;
  endSample: number;
}>;

/** The segment before, with the last packets of the track in it. */
export type PreviousTrack = TrackedSegment & Readonly<{ preroll: readonly Uint8Array[] }>;

export type StretchInput = Readonly<{
  track: DemuxedAudio;
  /** In the segment; distinguishes the files of several tracks. */
  index: number;
  /** Container's times → timeline. */
  timestampOffsetTicks: number;
  anchor: Pick<AudioAnchor, 'startTicks'>;
  /** The span that the piece covers. */
  coverage: Coverage;
  previous?: PreviousTrack | undefined;
}>;

/**
 * In order of time; without the packets that lie outside of the span. `sampleRateHz`: of the output.
 * Throws DomainError `undecodable` when the format changes too often.
 */
export function layStretches(input: StretchInput, sampleRateHz: number): Stretch[] {
  const { track, index, timestampOffsetTicks, anchor } = input;
  const changes = track.changes ?? changesInHeaders(track);
  if (changes.length >= MAX_STRETCHES) {
    throw new DomainError(
      'undecodable',
      `The format of audio track ${index + 1} changes ${changes.length} times inside the segment; ${MAX_STRETCHES - 1} times are taken.`,
      'Set the audio of the encoder to one sampling rate and number of channels.',
    );
  }
  const stretches: Stretch[] = [];
  for (const part of partsOf({ ...track, changes })) {
    const before = stretches.at(-1);
    const startTicks = (part.packets[0]?.startTicks ?? 0) + timestampOffsetTicks;
    // The grid of the run is that of the first format; the others are placed by their own time.
    const isFirst = part.packets[0] === track.packets[0];
    const origin = isFirst ? anchor.startTicks : startTicks;
    const laid = layPackets(part, { ...input, anchor: { startTicks: origin } }, isFirst);
    if (!laid) continue;
    const { position, ...packets } = laid;
    const { samplesPerPacket } = part;
    const outputSamples = (count: number): number =>
      (count * samplesPerPacket * sampleRateHz) / part.sampleRateHz;
    const offset = isFirst ? 0 : samplesAt(origin - anchor.startTicks, sampleRateHz);
    let startSample = Math.round(offset + outputSamples(position));
    if (before && Math.abs(startSample - before.endSample) < outputSamples(1) / 2) {
      startSample = before.endSample;
    }
    const endSample = startSample + Math.round(outputSamples(laid.packets.length));
    stretches.push({ track: part, ...packets, startSample, endSample });
  }
  return stretches;
}

/**
 * MP4 names one format for all packets; of some codecs each packet says its own. Two in a row are asked
 * for: one may be damaged.
 */
function changesInHeaders({ codec, packets }: DemuxedAudio): readonly AudioChange[] {
  if (codec !== 'mp3' && codec !== 'ac3' && codec !== 'eac3') return [];
  const headers = packets.map(({ bytes }) => parseAudioFrame(codec, bytes, 0));
  const isSame = (a: AudioFrameHeader, b: AudioFrameHeader | undefined): boolean =>
    a.sampleRateHz === b?.sampleRateHz && a.channels === b.channels && a.samples === b.samples;
  let current = headers.find((header) => header !== undefined);
  return headers.flatMap((header, fromPacket) => {
    if (!header || isSame(header, current) || !isSame(header, headers[fromPacket + 1])) return [];
    current = header;
    const { codecString, sampleRateHz, channels, samples } = header;
    return [{ fromPacket, codecString, sampleRateHz, channels, samplesPerPacket: samples }];
  });
}

function partsOf({ changes = [], ...track }: DemuxedAudio): DemuxedAudio[] {
  const formats = [{ fromPacket: 0 }, ...changes];
  return formats.map(({ fromPacket, ...format }, index) => ({
    ...track,
    ...format,
    packets: track.packets.slice(fromPacket, formats[index + 1]?.fromPacket),
  }));
}

/** `position`: of the first packet, in packets from the anchor; undefined when none lies near the span. */
function layPackets(track: DemuxedAudio, input: StretchInput, isFirst: boolean) {
  const { timestampOffsetTicks, anchor, coverage } = input;
  const { sampleRateHz, samplesPerPacket } = track;
  const starts = track.packets.map(({ startTicks }) => startTicks + timestampOffsetTicks);
  const positions = alignPackets(starts, samplesPerPacket, { ...anchor, sampleRateHz });
  const at = (ticks: number): number => samplesAt(ticks - anchor.startTicks, sampleRateHz);
  const from = at(coverage.startTicks) - CONTEXT_SAMPLES;
  const to = at(coverage.endTicks) + CONTEXT_SAMPLES;
  const near = track.packets.flatMap(({ bytes }, index) => {
    const position = positions[index] ?? 0;
    const sample = position * samplesPerPacket;
    return sample >= from && sample <= to ? [{ position, bytes }] : [];
  });
  const [first] = near;
  if (!first) return undefined;
  const preroll = isFirst ? usablePreroll(input) : [];
  const filled = fillLostPackets(track, near, preroll);
  return { ...filled, position: first.position - preroll.length };
}

const FORMAT = ['codec', 'sampleRateHz', 'channels', 'samplesPerPacket'] as const;

/** Only packets that come right before the segment, in the same format, lead the encoder into it. */
function usablePreroll({
  track,
  previous,
  timestampOffsetTicks,
}: StretchInput): readonly Uint8Array[] {
  const before = previous?.track;
  if (!before) return [];
  const sameFormat = FORMAT.every((property) => before[property] === track[property]);
  const startTicks = (track.packets[0]?.startTicks ?? 0) + timestampOffsetTicks;
  const endTicks = before.endTicks + previous.timestampOffsetTicks;
  const distance = Math.abs(samplesAt(startTicks - endTicks, track.sampleRateHz));
  return sameFormat && distance < track.samplesPerPacket / 2 ? previous.preroll : [];
}

/** Repeats the packet before a lost one, to be muted, so that all others keep their position. */
function fillLostPackets(
  { samplesPerPacket, sampleRateHz }: DemuxedAudio,
  laid: readonly Readonly<{ position: number; bytes: Uint8Array }>[],
  preroll: readonly Uint8Array[],
): Pick<Stretch, 'packets' | 'mutedSeconds'> {
  const packets = [...preroll];
  const lost: { start: number; end: number }[] = [];
  const secondsOf = (count: number): number => (count * samplesPerPacket) / sampleRateHz;
  laid.forEach(({ position, bytes }, index) => {
    const missing = position - (laid[index - 1]?.position ?? position - 1) - 1;
    if (missing > 0) {
      const start = secondsOf(packets.length);
      lost.push({ start, end: start + secondsOf(missing) });
      const before = packets.at(-1) ?? bytes;
      for (let count = 0; count < missing; count += 1) packets.push(before);
    }
    packets.push(bytes);
  });
  const longest = lost.toSorted((a, b) => b.end - b.start - (a.end - a.start));
  return { packets, mutedSeconds: longest.slice(0, MAX_MUTED) };
}
