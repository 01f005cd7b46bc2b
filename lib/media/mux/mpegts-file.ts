/**
 * Writes the packets of tracks as a transport stream (ISO/IEC 13818-1), at their own times: with a clock (PCR)
 * that runs ahead, languages of the audio, and no frame that is decoded after it is shown.
 */

import type { EncodedPacket } from 'mediabunny';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { TS_PACKET_BYTES } from '../demux/mpegts-packets.ts';
import { writeTables } from '../demux/mpegts-tables.ts';
import { elementaryFrames } from './elementary-frames.ts';
import { clockField, timestampField, writePackets, writeSectionPackets } from './mpegts-packets.ts';
import type { FileTrack } from './write-file.ts';

const PAT_PID = 0;
const MAP_PID = 0x1000;
const FIRST_PID = 0x100;

/** `stream_type` (Table 2-34; ATSC A/52, annex A), and `stream_id` (Table 2-22). */
const STREAMS: Readonly<Record<string, readonly [streamType: number, streamId: number]>> = {
  avc: [0x1b, 0xe0],
  hevc: [0x24, 0xe0],
  aac: [0x0f, 0xc0],
  mp3: [0x03, 0xc0],
  ac3: [0x81, 0xbd],
  eac3: [0x87, 0xbd],
};

/** How long before it is decoded a frame has come, by the clock; and how often that is told at most. */
const CLOCK_LEAD_TICKS = 45_000;
const CLOCK_INTERVAL_TICKS = 3600;

/** Of an adaptation field (2.4.3.5). */
const DISCONTINUITY = 0x80;
const RANDOM_ACCESS = 0x40;
const HAS_CLOCK = 0x10;

type Unit = Readonly<{
  /** Index of its track. */
  track: number;
  decodeTicks: number;
  isKeyframe: boolean;
  pes: Buffer;
}>;

/** Of codecs that MPEG-TS carries. Throws `unsupported_format` for AAC that ADTS cannot describe. */
export function writeMpegTs(tracks: readonly FileTrack[]): Uint8Array {
  const streams = tracks.map((track, index) => ({
    pid: FIRST_PID + index,
    streamType: streamOf(track)[0],
    ...(track.kind === 'audio' && { language: track.languageCode }),
  }));
  const clockTrack = Math.max(
    0,
    tracks.findIndex(({ kind }) => kind === 'video'),
  );
  const { pat, pmt } = writeTables(MAP_PID, streams, clockTrack);
  const parts = [writeSectionPackets(PAT_PID, pat), writeSectionPackets(MAP_PID, pmt)];
  const written = tracks.map(() => 0);
  let toldTicks = Number.NEGATIVE_INFINITY;
  const units = tracks.flatMap(unitsOf).sort((a, b) => a.decodeTicks - b.decodeTicks);
  for (const { track, decodeTicks, isKeyframe, pes } of units) {
    const tells = track === clockTrack && decodeTicks - toldTicks >= CLOCK_INTERVAL_TICKS;
    if (tells) toldTicks = decodeTicks;
    const count = written[track] ?? 0;
    const flags =
      (count === 0 ? DISCONTINUITY : 0) |
      (isKeyframe ? RANDOM_ACCESS : 0) |
      (tells ? HAS_CLOCK : 0);
    const clock = tells ? clockField(decodeTicks - CLOCK_LEAD_TICKS) : [];
    const adaptation = flags === 0 ? undefined : Uint8Array.from([flags, ...clock]);
    const packets = writePackets(FIRST_PID + track, pes, count, adaptation);
    written[track] = count + packets.length / TS_PACKET_BYTES;
    parts.push(packets);
  }
  return Buffer.concat(parts);
}

function streamOf({ codec }: FileTrack): readonly [streamType: number, streamId: number] {
  const stream = STREAMS[codec];
  if (!stream) throw new Error(`${codec} is nothing for MPEG-TS.`);
  return stream;
}

function unitsOf(track: FileTrack, index: number): Unit[] {
  const isVideo = track.kind === 'video';
  const shown = track.packets.map(({ timestamp }) => Math.round(timestamp * TICKS_PER_SECOND));
  const decoded = isVideo ? decodeTimes(shown) : shown;
  const [, streamId] = streamOf(track);
  return elementaryFrames(track).map((parts, at) => {
    const times = { ptsTicks: shown[at] ?? 0, dtsTicks: isVideo ? decoded[at] : undefined };
    const { type } = track.packets[at] as EncodedPacket;
    return {
      track: index,
      decodeTicks: decoded[at] ?? 0,
      isKeyframe: isVideo && type === 'key',
      pes: writePes(streamId, times, parts),
    };
  });
}

/** In the order of presentation, all earlier by that by which the latest would be after its presentation. */
function decodeTimes(shown: readonly number[]): number[] {
  const sorted = shown.toSorted((a, b) => a - b);
  const delay = sorted.reduce((most, ticks, at) => Math.max(most, ticks - (shown[at] ?? 0)), 0);
  return sorted.map((ticks) => ticks - delay);
}

/** 2.4.3.6. Pictures are of any length. */
function writePes(
  streamId: number,
  { ptsTicks, dtsTicks }: Readonly<{ ptsTicks: number; dtsTicks: number | undefined }>,
  frame: readonly Uint8Array[],
): Buffer {
  const times =
    dtsTicks === undefined
      ? timestampField(2, ptsTicks)
      : [...timestampField(3, ptsTicks), ...timestampField(1, dtsTicks)];
  const own = [0x84, dtsTicks === undefined ? 0x80 : 0xc0, times.length, ...times];
  const bytes = own.length + frame.reduce((sum, { length }) => sum + length, 0);
  const length = dtsTicks === undefined && bytes <= 0xffff ? bytes : 0;
  const header = Uint8Array.from([0, 0, 1, streamId, length >> 8, length & 0xff, ...own]);
  return Buffer.concat([header, ...frame]);
}
