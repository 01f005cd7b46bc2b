/** Writes a segment of a whole file: its header and one fragment of each track, with the file's own times. */

import type { EncodedPacket } from 'mediabunny';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { opusPacketSamples, parseAudioFrame } from '../demux/audio-frames.ts';
import { box, fullBox, u16, u32 } from '../iso-boxes.ts';
import { type TimedSample, writeFragment } from '../mux/cmaf.ts';
import { MOVIE_TIMESCALE, writeMovieInit } from '../mux/track-init.ts';
import type { FileAudio, FileTracks, FileVideo } from './file-tracks.ts';

/** So that sound which begins before the picture, and hidden frames, have times above zero. */
const SHIFT_SECONDS = 10;
/** Added to the times of the file. */
export const SHIFT_TICKS = SHIFT_SECONDS * TICKS_PER_SECOND;

export type SegmentPackets = Readonly<{
  /** In decode order. */
  video: readonly EncodedPacket[];
  /** Where the next picture is shown. */
  endSeconds: number;
  /** One list for each audio track of the file, in order. */
  audio: readonly (readonly EncodedPacket[])[];
}>;

/** Tracks without packets in the segment are left out. */
export function writeSegment(tracks: FileTracks, packets: SegmentPackets): Uint8Array {
  const { video } = tracks;
  const fragments: ((trackId: number) => Uint8Array)[] = [];
  const inits: Parameters<typeof writeMovieInit>[1][number][] = [];
  if (video && packets.video.length > 0) {
    const { samples, startTicks, isPartlyHidden } = videoSamples(video, packets);
    const edits = isPartlyHidden ? { edits: hideBeforeZero() } : {};
    inits.push({ ...withTrackId(video.init, 1), timescale: TICKS_PER_SECOND, ...edits });
    fragments.push((trackId) => writeFragment(startTicks, samples, 1, trackId));
  }
  for (const [index, track] of tracks.audio.entries()) {
    const own = packets.audio[index] ?? [];
    if (own.length === 0) continue;
    inits.push({ ...track.init, timescale: track.sampleRateHz });
    const { samples, start } = audioSamples(track, own);
    fragments.push((trackId) => writeFragment(start, samples, 1, trackId));
  }
  return Buffer.concat([
    writeMovieInit(['iso6', 'mp41'], inits),
    ...fragments.map((write, index) => write(index + 1)),
  ]);
}

/** Halves are rounded up, whatever the noise of the division. */
export const ticksOf = (seconds: number): number =>
  Math.floor(seconds * TICKS_PER_SECOND + 0.5 + 1e-4);

/**
 * Frames are decoded at the times at which others are shown: the sum of their durations is then exactly what
 * the segment lasts.
 */
function videoSamples(track: FileVideo, { video, endSeconds }: SegmentPackets) {
  const shown = video.map(({ timestamp }) => ticksOf(timestamp) + SHIFT_TICKS);
  const decode = shown.toSorted((a, b) => a - b);
  const endTicks = Math.max(ticksOf(endSeconds) + SHIFT_TICKS, (decode.at(-1) ?? 0) + 1);
  const samples = video.map((packet, index): TimedSample => {
    const decodeTicks = decode[index] ?? 0;
    return {
      bytes: track.isTransport ? withLengths(packet.data) : packet.data,
      isSync: packet.type === 'key',
      durationTicks: Math.max(0, (decode[index + 1] ?? endTicks) - decodeTicks),
      compositionTicks: (shown[index] ?? 0) - decodeTicks,
    };
  });
  const [startTicks = 0] = decode;
  return { samples, startTicks, isPartlyHidden: startTicks < SHIFT_TICKS };
}

/** `elst`: nothing for as long as the shift, then the media from there on, at its own times. */
const hideBeforeZero = (): Uint8Array =>
  box(
    'edts',
    fullBox(
      'elst',
      0,
      0,
      u32(2),
      [...u32(SHIFT_SECONDS * MOVIE_TIMESCALE), ...u32(0xffff_ffff), ...u16(1), ...u16(0)],
      [...u32(0), ...u32(SHIFT_TICKS), ...u16(1), ...u16(0)],
    ),
  );

/** Without the times at which it was written: a step that is done again gives the same bytes. */
function withTrackId<T extends Readonly<{ trackHeader?: unknown }>>(init: T, trackId: number): T {
  const header = init.trackHeader;
  if (!(header instanceof Uint8Array)) return init;
  const trackHeader = Uint8Array.from(header);
  const idAt = header[8] === 1 ? 28 : 20;
  trackHeader.fill(0, 12, idAt);
  new DataView(trackHeader.buffer).setUint32(idAt, trackId);
  return { ...init, trackHeader };
}

/** Counted in samples; where packets are missing, the one before lasts as long. */
function audioSamples(track: FileAudio, packets: readonly EncodedPacket[]) {
  const rate = track.sampleRateHz;
  const lengths = packetLengths(track, packets);
  const at = ({ timestamp }: EncodedPacket): number => (timestamp + SHIFT_SECONDS) * rate;
  const [first] = packets;
  const start = first ? Math.max(0, Math.round(at(first))) : 0;
  let position = start;
  const samples = packets.map((packet, index): TimedSample => {
    const length = lengths[index] ?? 0;
    const next = packets[index + 1];
    const missing = next ? at(next) - (position + length) : 0;
    const durationTicks = missing > length / 2 ? Math.round(length + missing) : length;
    position += durationTicks;
    const bytes = track.isTransport ? withoutAdts(packet.data) : packet.data;
    return { bytes, isSync: true, durationTicks, compositionTicks: 0 };
  });
  return { samples, start };
}

/** AAC-LC, HE-AAC at its output's rate, and both as broadcast. */
const AAC_LENGTHS = [1024, 2048, 960, 1920];

/** In samples. Containers give them rounded, and that of the last packet may be cut. */
function packetLengths(track: FileAudio, packets: readonly EncodedPacket[]): number[] {
  const { codec, sampleRateHz } = track;
  if (codec === 'opus') return packets.map(({ data }) => opusPacketSamples(data));
  if (codec !== 'aac') {
    return packets.map(
      ({ data, duration }) =>
        parseAudioFrame(codec, data, 0)?.samples ??
        Math.max(1, Math.round(duration * sampleRateHz)),
    );
  }
  const durations = packets.map(({ duration }) => duration * sampleRateHz).sort((a, b) => a - b);
  const median = durations[durations.length >> 1] ?? 0;
  const nearest = AAC_LENGTHS.reduce((best, one) =>
    Math.abs(one - median) < Math.abs(best - median) ? one : best,
  );
  return packets.map(() => nearest);
}

const MAX_ADTS_BYTES = 9;

/** ISO/IEC 13818-7, 6.2: a header of seven bytes, or nine with a checksum. */
const withoutAdts = (bytes: Uint8Array): Uint8Array =>
  bytes.subarray(((bytes[1] ?? 0) & 1) === 1 ? 7 : MAX_ADTS_BYTES);

/** NAL units behind their lengths in four bytes, instead of behind start codes (ITU-T H.264, B.1). */
export function withLengths(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let at = buffer.indexOf(START_CODE);
  while (at >= 0) {
    const from = at + START_CODE.length;
    at = buffer.indexOf(START_CODE, from);
    let to = at < 0 ? buffer.length : at;
    while (to > from && buffer[to - 1] === 0) to -= 1;
    if (to > from) parts.push(Uint8Array.from(u32(to - from)), buffer.subarray(from, to));
  }
  return Buffer.concat(parts);
}

const START_CODE = Buffer.of(0, 0, 1);
