/** Measures the seams of joined renditions against the source. */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { makeEncoderInput } from '../../lib/media/audio/encoder-input.ts';
import type { Clip } from '../support/media.ts';
import { type JoinedRendition, type SegmentRun, workFolder } from './segment-run.ts';

/** Presentation times of all frames of the source, on the timeline. */
export const sourceTimes = ({ placed }: SegmentRun): number[] =>
  placed
    .flatMap(
      ({ media, timestampOffsetTicks }) =>
        media.video?.frames.map((frame) => frame.ptsTicks + timestampOffsetTicks) ?? [],
    )
    .sort((a, b) => a - b);

export const joinedTimes = ({ pieces }: JoinedRendition): number[] =>
  pieces.flatMap(({ samples }) => samples.map(({ ptsTicks }) => ptsTicks)).sort((a, b) => a - b);

/** Between the end of each piece and the start of the next, in the track's time scale. */
export const seamGaps = ({ pieces }: JoinedRendition): number[] =>
  pieces.slice(1).map((piece, index) => piece.startTicks - (pieces[index]?.endTicks ?? 0));

const decode = (args: readonly string[]): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', maxBuffer: 2 ** 30 } as const;
    execFile('ffmpeg', ['-nostdin', '-v', 'fatal', ...args], options, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });

let files = 0;

async function temporaryFile(bytes: Uint8Array): Promise<string> {
  files += 1;
  const path = join(workFolder, `seams-${files}`);
  await writeFile(path, bytes);
  return path;
}

export type Pcm = Readonly<{ samples: Float32Array; startSample: number }>;

async function decodePcm(
  format: string,
  bytes: Uint8Array,
  channels: number,
): Promise<Float32Array> {
  const path = await temporaryFile(bytes);
  // Both sides are mixed in the same way; one channel is compared.
  const layout = channels === 1 ? 'mono' : 'stereo';
  const mix = ['-af', `aformat=channel_layouts=${layout},pan=mono|c0=c0`];
  const pcm = await decode(['-f', format, '-i', path, ...mix, '-f', 'f32le', '-']);
  return new Float32Array(pcm.buffer, pcm.byteOffset, pcm.byteLength >> 2);
}

export async function sourcePcm({ placed }: SegmentRun, index = 0): Promise<Pcm> {
  const tracks = placed.flatMap(({ media }) => media.audio[index] ?? []);
  const [first] = tracks;
  if (!first) throw new Error('The source has no audio.');
  const packets = tracks.flatMap((track) => track.packets.map(({ bytes }) => bytes));
  const input = await makeEncoderInput(first, packets);
  const startTicks = (first.packets[0]?.startTicks ?? 0) + (placed[0]?.timestampOffsetTicks ?? 0);
  return {
    samples: await decodePcm(input.format, input.bytes, first.channels),
    startSample: Math.round((startTicks * first.sampleRateHz) / TICKS_PER_SECOND),
  };
}

export async function joinedPcm({ info, pieces, bytes }: JoinedRendition): Promise<Pcm> {
  if (info.kind !== 'audio') throw new Error('This is not audio.');
  return {
    samples: await decodePcm('mov', bytes, info.channels),
    startSample: pieces[0]?.startTicks ?? 0,
  };
}

export type AudioSeams = Readonly<{
  /** Of blocks of 1024 samples, in dB: the worst within three of a seam; of the others the worst and the median. */
  worstSeamSnr: number;
  worstOtherSnr: number;
  medianSnr: number;
  /** Largest jump of the error from one sample to the next: at a seam, and elsewhere (99.9 %). */
  seamStep: number;
  usualStep: number;
}>;

const BLOCK = 1024;

export function compareAudio(source: Pcm, joined: Pcm, seams: readonly number[]): AudioSeams {
  // The first frames have nothing before them: encoders and decoders need a moment.
  const from = Math.max(source.startSample, joined.startSample) + 8 * BLOCK;
  const to = Math.min(
    source.startSample + source.samples.length,
    joined.startSample + joined.samples.length,
  );
  const snrs = { seam: [] as number[], other: [] as number[] };
  const steps = { seam: 0, other: [] as number[] };
  for (let at = from; at + BLOCK <= to; at += BLOCK) {
    const kind = seams.some((seam) => Math.abs(seam - at - BLOCK / 2) < 3.5 * BLOCK)
      ? 'seam'
      : 'other';
    let signal = 1e-9;
    let noise = 1e-12;
    let before: number | undefined;
    let largest = 0;
    for (let sample = at; sample < at + BLOCK; sample += 1) {
      const wanted = source.samples[sample - source.startSample] ?? 0;
      const error = (joined.samples[sample - joined.startSample] ?? 0) - wanted;
      signal += wanted * wanted;
      noise += error * error;
      largest = Math.max(largest, Math.abs(error - (before ?? error)));
      before = error;
    }
    snrs[kind].push(10 * Math.log10(signal / noise));
    if (kind === 'seam') steps.seam = Math.max(steps.seam, largest);
    else steps.other.push(largest);
  }
  const others = snrs.other.sort((a, b) => a - b);
  const usual = steps.other.sort((a, b) => a - b);
  return {
    worstSeamSnr: Math.min(...snrs.seam),
    worstOtherSnr: others[0] ?? 0,
    medianSnr: others[others.length >> 1] ?? 0,
    seamStep: steps.seam,
    usualStep: usual[Math.floor(usual.length * 0.999)] ?? 0,
  };
}

const GRAY = { widthPx: 80, heightPx: 44 };

async function decodeFrames(bytes: Uint8Array): Promise<Uint8Array[]> {
  const path = await temporaryFile(bytes);
  const scale = `scale=${GRAY.widthPx}:${GRAY.heightPx}:flags=area,format=gray`;
  const output = ['-vf', scale, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'];
  const raw = await decode(['-i', path, '-map', '0:v:0', ...output]);
  const size = GRAY.widthPx * GRAY.heightPx;
  return Array.from({ length: raw.length / size }, (_, index) =>
    raw.subarray(index * size, (index + 1) * size),
  );
}

/** The whole source as one file that ffmpeg decodes from end to end. */
export function joinSource({ segments, init }: Clip): Uint8Array {
  return Buffer.concat([...(init ? [init] : []), ...segments.map(({ bytes }) => bytes)]);
}

export type FrameMatch = Readonly<{
  source: number;
  joined: number;
  displaced: readonly number[];
}>;

/** Which frames of a rung are more like a neighbour of the source's frame of the same number. */
export async function compareFrames(clip: Clip, rung: JoinedRendition): Promise<FrameMatch> {
  const source = await decodeFrames(joinSource(clip));
  const joined = await decodeFrames(rung.bytes);
  const displaced = joined.flatMap((frame, index) => {
    const own = difference(frame, source[index]);
    const neighbours = [source[index - 1], source[index + 1]].map((it) => difference(frame, it));
    return own <= Math.min(...neighbours) ? [] : [index];
  });
  return { source: source.length, joined: joined.length, displaced };
}

function difference(a: Uint8Array, b: Uint8Array | undefined): number {
  if (!b) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let index = 0; index < a.length; index += 1)
    sum += Math.abs((a[index] ?? 0) - (b[index] ?? 0));
  return sum;
}
