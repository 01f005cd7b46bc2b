/** The audio streams of an MPEG-TS segment: PES packets become frames. */

import { DomainError } from '../../domain/errors.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import {
  type AudioFrameHeader,
  aacConfig,
  type FramedAudioCodec,
  HEADER_BYTES,
  parseAudioFrame,
  SYNC_BYTES,
} from './audio-frames.ts';
import {
  type AudioChange,
  type AudioFormat,
  type DemuxedAudio,
  type DemuxedPacket,
  languageTag,
  MAX_SAMPLES,
} from './demuxed-segment.ts';
import type { PesStream } from './mpegts-pes.ts';
import type { ElementaryStream } from './mpegts-tables.ts';

/** A frame of E-AC-3 with all that may depend on it: nine of 4096 bytes (ETSI TS 102 366, E.1.2). */
const MAX_PACKET_BYTES = 9 * 4096;

/** undefined when the stream has no whole frame with a time. Throws DomainError: `undecodable`. */
export function readAudio(
  stream: ElementaryStream,
  codec: FramedAudioCodec,
  pes: PesStream,
): DemuxedAudio | undefined {
  const packets: DemuxedPacket[] = [];
  const formats: AudioChange[] = [];
  let current: AudioFrameHeader | undefined;
  for (const { header, startTicks, bytes } of framesIn(codec, pes)) {
    const before = packets.at(-1);
    if (header.dependent && before) {
      if (before.bytes.length > MAX_PACKET_BYTES) continue;
      packets[packets.length - 1] = { ...before, bytes: Buffer.concat([before.bytes, bytes]) };
      continue;
    }
    if (!current || !isSameFormat(header, current)) {
      formats.push({ fromPacket: packets.length, ...formatOf(codec, header) });
      current = header;
    }
    packets.push({ startTicks, bytes });
    if (packets.length > MAX_SAMPLES) throw tooManyFrames(stream.pid);
  }
  const [first, ...changes] = formats;
  if (!first) return undefined;
  const { fromPacket: _, ...format } = first;
  return {
    trackId: stream.pid,
    codec,
    ...format,
    language: languageTag(stream.language),
    ...(stream.describesVideo && { describesVideo: true }),
    ...(changes.length > 0 ? { changes } : {}),
    packets,
  };
}

const tooManyFrames = (pid: number): DomainError =>
  new DomainError(
    'undecodable',
    `Stream ${pid} has more than ${MAX_SAMPLES} audio frames; a segment has ${MAX_SAMPLES} at most.`,
    'Cut shorter segments; if they are short, the encoder writes frames without sound.',
  );

function formatOf(codec: FramedAudioCodec, header: AudioFrameHeader): AudioFormat {
  const { sampleRateHz, channels, samples, codecString } = header;
  const format = { codecString, sampleRateHz, channels, samplesPerPacket: samples };
  if (codec !== 'aac') return format;
  const objectType = Number(codecString.split('.')[2]);
  return { ...format, config: aacConfig(objectType, sampleRateHz, channels) };
}

const isSameFormat = (a: AudioFrameHeader, b: AudioFrameHeader): boolean =>
  a.sampleRateHz === b.sampleRateHz &&
  a.channels === b.channels &&
  a.samples === b.samples &&
  a.codecString === b.codecString;

type Frame = Readonly<{ header: AudioFrameHeader; bytes: Uint8Array }>;
type TimedFrame = Frame & Readonly<{ startTicks: number }>;

const ticksOf = ({ dependent, samples, sampleRateHz }: AudioFrameHeader): number =>
  dependent ? 0 : (samples * TICKS_PER_SECOND) / sampleRateHz;

/**
 * Whole frames with their times. Frames may go on in the next PES packet; a PTS is that of the first
 * frame that begins in its packet (ISO/IEC 13818-1, 2.4.3.7). Frames in front of the first time count
 * back from it. A frame with a hole in it is left out.
 */
function* framesIn(
  codec: FramedAudioCodec,
  { data, packets, holes }: PesStream,
): Generator<TimedFrame> {
  const untimed: Frame[] = [];
  let current: AudioFrameHeader | undefined;
  let packetIndex = 0;
  let holeIndex = 0;
  let ptsTicks: number | undefined;
  let nextTicks: number | undefined;
  let inSync = false;
  for (let at = 0; at + HEADER_BYTES <= data.length; ) {
    for (let next = packets[packetIndex]; next && next.start <= at; ) {
      ptsTicks = next.ptsTicks;
      packetIndex += 1;
      next = packets[packetIndex];
    }
    while ((holes[holeIndex] ?? data.length) <= at) holeIndex += 1;
    const solidEnd = holes[holeIndex] ?? data.length;
    const header = parseAudioFrame(codec, data, at);
    const isTaken =
      header !== undefined &&
      (inSync && current && (header.dependent || isSameFormat(header, current))
        ? true
        : isFollowed(codec, data, at, header, solidEnd));
    if (!header || !isTaken) {
      inSync = false;
      at = nextSync(codec, data, at + 1);
      continue;
    }
    if (ptsTicks !== undefined) nextTicks = ptsTicks;
    ptsTicks = undefined;
    const end = at + header.frameBytes;
    if (end <= solidEnd) {
      const frame = { header, bytes: data.subarray(at + header.headerBytes, end) };
      if (nextTicks === undefined) untimed.push(frame);
      else {
        yield* timesBefore(untimed.splice(0), nextTicks);
        yield { ...frame, startTicks: Math.round(nextTicks) };
      }
    }
    inSync = end <= solidEnd;
    if (!header.dependent) current = header;
    if (nextTicks !== undefined) nextTicks += ticksOf(header);
    at = inSync ? end : solidEnd;
  }
}

function timesBefore(frames: readonly Frame[], endTicks: number): TimedFrame[] {
  let ticks = endTicks;
  return frames
    .toReversed()
    .map((frame) => {
      ticks -= ticksOf(frame.header);
      return { ...frame, startTicks: Math.round(ticks) };
    })
    .reverse();
}

/** Sync words occur in the data as well: a frame of the same format right behind confirms one. */
function isFollowed(
  codec: FramedAudioCodec,
  data: Uint8Array,
  at: number,
  header: AudioFrameHeader,
  solidEnd: number,
): boolean {
  const end = at + header.frameBytes;
  if (end + HEADER_BYTES > solidEnd) return true;
  const next = parseAudioFrame(codec, data, end);
  return next !== undefined && (header.dependent || next.dependent || isSameFormat(next, header));
}

function nextSync(codec: FramedAudioCodec, data: Buffer, from: number): number {
  const at = data.indexOf(SYNC_BYTES[codec], from);
  return at < 0 ? data.length : at;
}
