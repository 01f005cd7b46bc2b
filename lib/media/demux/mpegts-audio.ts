/** The audio streams of an MPEG-TS segment: PES packets become frames. */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import {
  type AudioFrameHeader,
  aacConfig,
  type FramedAudioCodec,
  HEADER_BYTES,
  parseAudioFrame,
} from './audio-frames.ts';
import { type DemuxedAudio, type DemuxedPacket, languageTag } from './demuxed-segment.ts';
import type { ElementaryStream, PesPacket } from './mpegts-packets.ts';

/** undefined when the stream has no whole frame with a time. */
export function readAudio(
  stream: ElementaryStream,
  codec: FramedAudioCodec,
  pesPackets: readonly PesPacket[],
): DemuxedAudio | undefined {
  let first: AudioFrameHeader | undefined;
  const packets: DemuxedPacket[] = [];
  for (const { header, startTicks, bytes } of framesIn(codec, pesPackets)) {
    first ??= header;
    const before = packets.at(-1);
    if (!header.dependent || !before) packets.push({ startTicks, bytes });
    else packets[packets.length - 1] = { ...before, bytes: Buffer.concat([before.bytes, bytes]) };
  }
  if (!first) return undefined;
  const { sampleRateHz, channels, samples, codecString } = first;
  const objectType = codec === 'aac' ? Number(codecString.split('.')[2]) : 0;
  return {
    trackId: stream.pid,
    codec,
    codecString,
    sampleRateHz,
    channels,
    samplesPerPacket: samples,
    language: languageTag(stream.language),
    ...(codec === 'aac' ? { config: aacConfig(objectType, sampleRateHz, channels) } : {}),
    packets,
  };
}

type TimedFrame = Readonly<{ header: AudioFrameHeader; startTicks: number; bytes: Uint8Array }>;

/** Frames may continue in the next PES packet; a PTS is that of the first frame that begins in its packet (2.4.3.7). */
function* framesIn(
  codec: FramedAudioCodec,
  pesPackets: readonly PesPacket[],
): Generator<TimedFrame> {
  let rest: Uint8Array = new Uint8Array(0);
  let inSync = false;
  let nextTicks: number | undefined;
  for (const { ptsTicks, payload } of pesPackets) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, payload]) : payload;
    const payloadStart = rest.length;
    let pendingTicks = ptsTicks;
    let at = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const header = parseAudioFrame(codec, bytes, at);
      inSync = header !== undefined && (inSync || isFollowed(codec, bytes, at + header.frameBytes));
      if (!header || !inSync) {
        at += 1;
        continue;
      }
      if (at + header.frameBytes > bytes.length) break;
      if (pendingTicks !== undefined && at >= payloadStart) {
        nextTicks = pendingTicks;
        pendingTicks = undefined;
      }
      const raw = bytes.subarray(at + header.headerBytes, at + header.frameBytes);
      if (nextTicks !== undefined) {
        yield { header, startTicks: Math.round(nextTicks), bytes: raw };
        if (!header.dependent)
          nextTicks += (header.samples * TICKS_PER_SECOND) / header.sampleRateHz;
      }
      at += header.frameBytes;
    }
    rest = bytes.subarray(at);
  }
}

/** Sync words occur in the data as well: a second frame right behind confirms one. */
const isFollowed = (codec: FramedAudioCodec, bytes: Uint8Array, at: number): boolean =>
  at + HEADER_BYTES > bytes.length || parseAudioFrame(codec, bytes, at) !== undefined;
