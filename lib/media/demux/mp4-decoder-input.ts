/**
 * A video track of an MP4 as a file for ffmpeg: the frames as they were demuxed, in one fragment of a file
 * of their own. So edit lists, offsets of any kind and other tracks have no say in what is decoded.
 */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { boxesAt, viewOf } from '../iso-boxes.ts';
import { writeFragment } from '../mux/cmaf.ts';
import { writeTrackInit } from '../mux/track-init.ts';
import type { DecoderInput } from './demuxed-segment.ts';

export type Mp4Frame = Readonly<{ ptsTicks: number; isKey: boolean; bytes: Uint8Array }>;

/** What decoders need of a track's header. */
export type Mp4TrackHeader = Readonly<{
  /** `stsd`, with the codec's configuration. */
  sampleDescription: Uint8Array;
  /** `tkhd`, with size and rotation. */
  trackHeader: Uint8Array;
}>;

/** Far above zero: decode times lie before the presentation by the reordering delay. */
const DELAY_TICKS = 60 * TICKS_PER_SECOND;

/** undefined if the track has no such boxes. `bytes`: with the `moov`. */
export function readTrackHeader(bytes: Uint8Array, trackId: number): Mp4TrackHeader | undefined {
  const view = viewOf(bytes);
  for (const trak of boxesAt(bytes, ['moov', 'trak'])) {
    const [header] = boxesAt(bytes, ['tkhd'], trak);
    const [description] = boxesAt(bytes, ['mdia', 'minf', 'stbl', 'stsd'], trak);
    if (!header || !description) continue;
    const idAt = header.bodyStart + (bytes[header.bodyStart] === 1 ? 20 : 12);
    if (idAt + 4 > header.end || view.getUint32(idAt) !== trackId) continue;
    const trackHeader = Uint8Array.from(bytes.subarray(header.start, header.end));
    viewOf(trackHeader).setUint32(idAt - header.start, 1);
    const sampleDescription = Uint8Array.from(bytes.subarray(description.start, description.end));
    return { trackHeader, sampleDescription };
  }
  return undefined;
}

export type Mp4Video = Readonly<{ header: Mp4TrackHeader; frames: readonly Mp4Frame[] }>;

/** `previous` comes first if its header is the same. */
export function mp4DecoderInput(video: Mp4Video, previous?: Mp4Video): DecoderInput {
  const joins = previous !== undefined && isSameHeader(video.header, previous.header);
  const frames = joins ? [...previous.frames, ...video.frames] : video.frames;
  const init = writeTrackInit({
    brands: ['iso6', 'mp41'],
    timescale: TICKS_PER_SECOND,
    kind: 'video',
    ...video.header,
  });
  const decodeTicks = decodeTimes(frames.map(({ ptsTicks }) => ptsTicks));
  const samples = frames.map(({ ptsTicks, isKey, bytes }, index) => {
    const ticks = decodeTicks[index] ?? 0;
    return {
      bytes,
      isSync: isKey,
      durationTicks: (decodeTicks[index + 1] ?? ticks + 1) - ticks,
      compositionTicks: ptsTicks - ticks,
    };
  });
  const fragment = writeFragment(DELAY_TICKS + (decodeTicks[0] ?? 0), samples, 1);
  return {
    format: 'mov',
    bytes: Buffer.concat([init, fragment]),
    startsWithPrevious: joins,
    delayTicks: DELAY_TICKS,
  };
}

const isSameHeader = (a: Mp4TrackHeader, b: Mp4TrackHeader): boolean =>
  Buffer.compare(a.sampleDescription, b.sampleDescription) === 0;

/** For frames in decode order: strictly growing, none after its presentation. */
function decodeTimes(presentation: readonly number[]): number[] {
  const times = [...presentation];
  for (let index = times.length - 2; index >= 0; index -= 1) {
    times[index] = Math.min(times[index] ?? 0, (times[index + 1] ?? 0) - 1);
  }
  return times;
}
