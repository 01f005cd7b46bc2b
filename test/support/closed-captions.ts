/** Real closed captions (CTA-608) in real video: pairs of bytes in SEI messages of its frames. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { mpegTsDecoderInput } from '../../lib/media/demux/mpegts-decoder-input.ts';
import { unitsInAnnexB } from '../../lib/media/demux/nal-units.ts';
import { ffmpeg } from './ffmpeg.ts';
import { type Clip, type ClipOptions, makeSegments, readClip } from './media.ts';

export type Pair = readonly [number, number];

/** Commands are sent twice. */
const twice = (...pairs: readonly Pair[]): Pair[] => pairs.flatMap((pair) => [pair, pair]);

const RESUME_LOADING: Pair = [0x14, 0x20];
const ERASE_LOADED: Pair = [0x14, 0x2e];
const BOTTOM_ROW: Pair = [0x14, 0x70];
const SHOW: Pair = [0x14, 0x2f];
const ERASE_SHOWN: Pair = [0x14, 0x2c];

/** A caption that pops on with its last pair. */
export const popOn = (text: string): Pair[] => [
  ...twice(RESUME_LOADING, ERASE_LOADED, BOTTOM_ROW),
  ...Array.from({ length: Math.ceil(text.length / 2) }, (_, index): Pair => {
    const [one = 0, two = 0] = Buffer.from(text.slice(2 * index, 2 * index + 2));
    return [one, two];
  }),
  ...twice(SHOW),
];

export const erase = (): Pair[] => twice(ERASE_SHOWN);

/** Of each frame of the whole, in the order in which they are shown: `at` the index of a frame. */
export function schedule(frames: number, sent: Readonly<Record<number, readonly Pair[]>>): Pair[] {
  const pairs = Array.from({ length: frames }, (): Pair => [0, 0]);
  for (const [at, list] of Object.entries(sent)) {
    assert.ok(Number(at) + list.length <= frames, 'the captions do not fit');
    for (const [index, pair] of list.entries()) {
      const frame = Number(at) + index;
      assert.deepEqual(pairs[frame], [0, 0], 'two captions overlap');
      pairs[frame] = pair;
    }
  }
  return pairs;
}

/** As `makeSegments`, without sound; frame n in the order of presentation carries `pairs[n]` in the first field. */
export async function makeCaptionedSegments(
  folder: string,
  options: ClipOptions,
  pairs: readonly Pair[],
): Promise<Clip> {
  const { container = 'ts', ...others } = options;
  const { segments } = await makeSegments({ ...others, audio: 'none', container: 'ts' });
  let shown = 0;
  const streams: Uint8Array[] = [];
  for (const { bytes } of segments) {
    const { video } = await demuxSegment(bytes);
    assert.ok(video?.nalFrames && video.codec === 'avc');
    const order = video.frames.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
    const frames = [...video.nalFrames()].map(({ ptsTicks, units }) => {
      const pair = pairs[shown + order.indexOf(ptsTicks)] ?? [0, 0];
      return { ptsTicks, bytes: withSei([...units], captionSei(pair)) };
    });
    shown += frames.length;
    streams.push(mpegTsDecoderInput('avc', frames).bytes);
  }
  assert.equal(shown, pairs.length);
  if (container === 'ts') {
    return { segments: streams.map((bytes, index) => ({ name: `${index}.ts`, bytes })) };
  }
  const joined = join(folder, 'captioned.ts');
  await writeFile(joined, Buffer.concat(streams));
  const muxer = ['-f', 'hls', '-hls_time', '2', '-hls_segment_type', 'fmp4', '-hls_list_size', '0'];
  const names = ['-hls_fmp4_init_filename', 'init.mp4', '-hls_segment_filename'];
  await ffmpeg([
    ...['-copyts', '-i', joined, '-c', 'copy', ...muxer],
    ...[...names, join(folder, '%d.m4s'), join(folder, 'list.m3u8')],
  ]);
  return readClip(folder);
}

const isSlice = (unit: Uint8Array): boolean => [1, 5].includes((unit[0] ?? 0) & 0x1f);

function withSei(units: readonly Uint8Array[], sei: Uint8Array): Uint8Array {
  const at = units.findIndex(isSlice);
  const all = [...units.slice(0, at), sei, ...units.slice(at)];
  return Buffer.concat(all.flatMap((unit) => [Buffer.from([0, 0, 0, 1]), unit]));
}

const withParity = (byte: number): number => {
  const ones = byte.toString(2).replaceAll('0', '').length;
  return ones % 2 === 0 ? byte | 0x80 : byte;
};

/** With each frame: a packet of CTA-708 with the letter H for its first service. */
export const CTA_708 = Buffer.from([0xff, 0x02, 0x21, 0xfe, 0x48, 0x01]);

/** ATSC A/53, Part 4, 6.2.3: one pair in the first field; the second is empty. */
function captionSei([one, two]: Pair): Uint8Array {
  const data = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03, 0x44, 0xff];
  data.push(0xfc, withParity(one), withParity(two), 0xfd, 0x80, 0x80, ...CTA_708, 0xff);
  // No three bytes of it need emulation prevention.
  return Buffer.from([6, 4, data.length, ...data, 0x80]);
}

/** The pairs of an Annex B stream, of each frame in decode order; for tests of the maker itself. */
export const seiUnits = (bytes: Uint8Array): Uint8Array[] =>
  [...unitsInAnnexB(bytes)].filter((unit) => ((unit[0] ?? 0) & 0x1f) === 6);
