/**
 * A video stream as a clean transport stream for ffmpeg: each frame is a PES packet with its own times. So
 * other programs, damaged packets, and pictures that share a PES packet have no say in what is decoded.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { timestampField, writePackets, writeSectionPackets } from '../mux/mpegts-packets.ts';
import type { DecoderInput } from './demuxed-segment.ts';
import { measureFrames } from './frame-rate.ts';
import { TS_PACKET_BYTES } from './mpegts-packets.ts';
import { writeTables } from './mpegts-tables.ts';
import type { NalCodec } from './nal-units.ts';

export type ElementaryFrame = Readonly<{ ptsTicks: number; bytes: Uint8Array }>;

const PAT_PID = 0;
const MAP_PID = 0x1000;
const VIDEO_PID = 0x100;
const STREAM_TYPES: Readonly<Record<NalCodec, number>> = { avc: 0x1b, hevc: 0x24 };

/** Frames of the segment before end this near to the first one, or its clock was another. */
const MAX_SEAM_TICKS = TICKS_PER_SECOND;
/** Decode times lie before the presentation by the reordering delay; none may fall below zero. */
const DELAY_TICKS = 60 * TICKS_PER_SECOND;

/** Frames in decode order. `previous`: of the segment before, put right in front whatever its clock says. */
export function mpegTsDecoderInput(
  codec: NalCodec,
  frames: readonly ElementaryFrame[],
  previous?: readonly ElementaryFrame[],
): DecoderInput {
  const all = previous ? [...abutting(previous, frames), ...frames] : frames;
  return {
    format: 'mpegts',
    bytes: writeStream(codec, all),
    startsWithPrevious: previous !== undefined,
    delayTicks: DELAY_TICKS,
  };
}

function abutting(
  previous: readonly ElementaryFrame[],
  frames: readonly ElementaryFrame[],
): readonly ElementaryFrame[] {
  const seamTicks = measureFrames(frames).startTicks - measureFrames(previous).endTicks;
  if (Math.abs(seamTicks) <= MAX_SEAM_TICKS) return previous;
  return previous.map(({ ptsTicks, bytes }) => ({ ptsTicks: ptsTicks + seamTicks, bytes }));
}

function writeStream(codec: NalCodec, frames: readonly ElementaryFrame[]): Buffer {
  const { pat, pmt } = writeTables(MAP_PID, [{ pid: VIDEO_PID, streamType: STREAM_TYPES[codec] }]);
  const tables = [writeSectionPackets(PAT_PID, pat), writeSectionPackets(MAP_PID, pmt)];
  const decodeTicks = decodeTimes(frames.map(({ ptsTicks }) => ptsTicks));
  let counter = 0;
  const pictures = frames.map(({ ptsTicks, bytes }, index) => {
    const pes = Buffer.concat([pesHeader(ptsTicks, decodeTicks[index] ?? ptsTicks), bytes]);
    const packets = writePackets(VIDEO_PID, pes, counter);
    counter += packets.length / TS_PACKET_BYTES;
    return packets;
  });
  return Buffer.concat([...tables, ...pictures]);
}

/** Of a packet of video of any length, with both times (2.4.3.6). */
const pesHeader = (ptsTicks: number, dtsTicks: number): Buffer =>
  Buffer.from([
    ...[0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10],
    ...timestampField(3, ptsTicks + DELAY_TICKS),
    ...timestampField(1, dtsTicks + DELAY_TICKS),
  ]);

/** For frames in decode order: strictly growing, none after its presentation. */
function decodeTimes(presentation: readonly number[]): number[] {
  const times = [...presentation];
  for (let index = times.length - 2; index >= 0; index -= 1) {
    times[index] = Math.min(times[index] ?? 0, (times[index + 1] ?? 0) - 1);
  }
  return times;
}
