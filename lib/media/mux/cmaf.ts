/** CMAF tracks (ISO/IEC 23000-19): reading what ffmpeg writes, and writing fragments with exact times. */

import type { RenditionInfo } from '../../domain/timeline.ts';
import { box, boxesAt, boxesIn, fullBox, u32, u64, viewOf } from '../iso-boxes.ts';

/** A source segment's part of one rendition. */
export type RenditionSegment = Readonly<{
  /** `ftyp` and `moov`; the same bytes for all segments of a run. */
  init: Uint8Array;
  /** One fragment: `moof` and `mdat`. */
  media: Uint8Array;
  info: RenditionInfo;
  /** Of audio, on the timeline: its frames do not begin and end where those of the video do. */
  startTicks?: number;
  durationTicks?: number;
}>;

export type CmafSample = Readonly<{
  bytes: Uint8Array;
  isSync: boolean;
  ptsTicks: number;
  /** Presentation less decode time; may be negative. */
  compositionTicks: number;
}>;

export type CmafTrack = Readonly<{
  /** `ftyp` and `moov`. */
  init: Uint8Array;
  /** In decode order; times in the track's time scale. */
  samples: readonly CmafSample[];
  /** Decode time of the first sample (`tfdt`) and end of the last. */
  startTicks: number;
  endTicks: number;
}>;

const NON_SYNC = 0x0001_0000;

/** Reads a file of one track that begins with its init segment; fragments may be several. Throws Error. */
export function parseCmaf(bytes: Uint8Array): CmafTrack {
  const firstMoof = [...boxesIn(bytes)].find(({ type }) => type === 'moof');
  const runs = readFragments(bytes);
  return {
    init: bytes.subarray(0, firstMoof?.start ?? bytes.byteLength),
    samples: runs.flatMap(({ samples }) => samples),
    startTicks: runs[0]?.startTicks ?? 0,
    endTicks: runs.at(-1)?.endTicks ?? 0,
  };
}

function readFragments(bytes: Uint8Array): TrackRun[] {
  const defaults = trackDefaults(bytes);
  return boxesAt(bytes, ['moof']).flatMap((moof) =>
    boxesAt(bytes, ['traf'], moof).map((traf) => readTraf(bytes, moof.start, traf, defaults)),
  );
}

type TrackRun = Omit<CmafTrack, 'init'>;

type SampleDefaults = Readonly<{ duration: number; size: number; flags: number }>;

function trackDefaults(init: Uint8Array): SampleDefaults {
  const [trex] = boxesAt(init, ['moov', 'mvex', 'trex']);
  if (!trex) return { duration: 0, size: 0, flags: 0 };
  const view = viewOf(init);
  const at = trex.bodyStart + 12;
  return {
    duration: view.getUint32(at),
    size: view.getUint32(at + 4),
    flags: view.getUint32(at + 8),
  };
}

/** ISO/IEC 14496-12, 8.8.7, 8.8.8, 8.8.12. */
function readTraf(
  bytes: Uint8Array,
  moofStart: number,
  traf: Readonly<{ bodyStart: number; end: number }>,
  fallback: SampleDefaults,
): TrackRun {
  const view = viewOf(bytes);
  const [tfhd] = boxesAt(bytes, ['tfhd'], traf);
  const [tfdt] = boxesAt(bytes, ['tfdt'], traf);
  if (!tfhd) throw new Error('A fragment has no tfhd box.');
  const headerFlags = view.getUint32(tfhd.bodyStart) & 0xff_ffff;
  let at = tfhd.bodyStart + 8;
  const next = (): number => {
    at += 4;
    return view.getUint32(at - 4);
  };
  if (headerFlags & 0x01) at += 8;
  if (headerFlags & 0x02) at += 4;
  const duration = headerFlags & 0x08 ? next() : fallback.duration;
  const size = headerFlags & 0x10 ? next() : fallback.size;
  const flags = headerFlags & 0x20 ? next() : fallback.flags;
  const startTicks = tfdt ? decodeTime(view, tfdt.bodyStart) : 0;
  let dts = startTicks;
  const samples: CmafSample[] = [];
  let dataAt = moofStart;
  for (const trun of boxesAt(bytes, ['trun'], traf)) {
    const runFlags = view.getUint32(trun.bodyStart) & 0xff_ffff;
    const count = view.getUint32(trun.bodyStart + 4);
    at = trun.bodyStart + 8;
    if (runFlags & 0x01) dataAt = moofStart + (next() | 0);
    const firstFlags = runFlags & 0x04 ? next() : undefined;
    for (let index = 0; index < count; index += 1) {
      const sampleDuration = runFlags & 0x100 ? next() : duration;
      const sampleBytes = runFlags & 0x200 ? next() : size;
      const ownFlags = runFlags & 0x400 ? next() : flags;
      const sampleFlags = index === 0 ? (firstFlags ?? ownFlags) : ownFlags;
      const compositionTicks = runFlags & 0x800 ? next() | 0 : 0;
      samples.push({
        bytes: bytes.subarray(dataAt, dataAt + sampleBytes),
        isSync: (sampleFlags & NON_SYNC) === 0,
        ptsTicks: dts + compositionTicks,
        compositionTicks,
      });
      dataAt += sampleBytes;
      dts += sampleDuration;
    }
  }
  return { samples, startTicks, endTicks: dts };
}

const decodeTime = (view: DataView, at: number): number =>
  view.getUint8(at) === 1 ? Number(view.getBigUint64(at + 4)) : view.getUint32(at + 4);

export type TimedSample = Omit<CmafSample, 'ptsTicks'> & Readonly<{ durationTicks: number }>;

/** One fragment (`moof`, `mdat`) of track 1; times in the track's time scale. */
export function writeFragment(
  startTicks: number,
  samples: readonly TimedSample[],
  sequence: number,
): Uint8Array {
  const run = new Uint8Array(samples.length * 16);
  const view = viewOf(run);
  samples.forEach(({ bytes, isSync, durationTicks, compositionTicks }, index) => {
    const at = index * 16;
    view.setUint32(at, durationTicks);
    view.setUint32(at + 4, bytes.byteLength);
    // Depends on no other sample, or on others and is no sync sample.
    view.setUint32(at + 8, isSync ? 0x0200_0000 : 0x0100_0000 | NON_SYNC);
    view.setInt32(at + 12, compositionTicks);
  });
  const moofWith = (dataOffset: number): Uint8Array =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(sequence)),
      box(
        'traf',
        fullBox('tfhd', 0, 0x02_0000, u32(1)),
        fullBox('tfdt', 1, 0, u64(startTicks)),
        fullBox('trun', 1, 0xf01, u32(samples.length), u32(dataOffset), run),
      ),
    );
  const moof = moofWith(moofWith(0).byteLength + 8);
  const dataBytes = samples.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const dataHeader = Uint8Array.from([...u32(8 + dataBytes), ...Buffer.from('mdat')]);
  return Buffer.concat([moof, dataHeader, ...samples.map(({ bytes }) => bytes)]);
}

/** RFC 6381, from the `avcC` box of an init segment. */
export function avcCodecString(init: Uint8Array): string {
  const avcC = Buffer.from(init.buffer, init.byteOffset, init.byteLength).indexOf('avcC');
  const profile = init.subarray(avcC + 5, avcC + 8);
  return `avc1.${Buffer.from(profile).toString('hex')}`;
}
