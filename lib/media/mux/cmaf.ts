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
  /**
   * What the media covers on the timeline, where that differs from the source segment's span: audio,
   * whose frames do not end at the cut. To the nearest tick; a piece ends where the next one starts.
   */
  startTicks?: number;
  durationTicks?: number;
  /** Of video: from the start of the media to the end of its first frame, a keyframe. */
  keyframeBytes?: number;
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

/** Depends on no other sample, or on others and is no sync sample (ISO/IEC 14496-12, 8.8.3.1). */
const flagsOf = ({ isSync }: TimedSample): number =>
  isSync ? 0x0200_0000 : 0x0100_0000 | NON_SYNC;

/**
 * What `trun` says of each sample, in its order: its flag there, and in `tfhd` for a value that all
 * samples have in common (8.8.7, 8.8.8).
 */
const SAMPLE_FIELDS = [
  { inRun: 0x100, inHeader: 0x08, of: ({ durationTicks }: TimedSample) => durationTicks },
  { inRun: 0x200, inHeader: 0x10, of: ({ bytes }: TimedSample) => bytes.byteLength },
  { inRun: 0x400, inHeader: 0x20, of: flagsOf },
  { inRun: 0x800, inHeader: 0, of: ({ compositionTicks }: TimedSample) => compositionTicks },
] as const;

const BASE_IS_MOOF = 0x02_0000;
const HAS_DATA_OFFSET = 0x01;

/** One fragment (`moof`, `mdat`) of one track; times in the track's time scale. */
export function writeFragment(
  startTicks: number,
  samples: readonly TimedSample[],
  sequence: number,
  trackId = 1,
): Uint8Array {
  const [first] = samples;
  const common = SAMPLE_FIELDS.filter(
    ({ inHeader, of }) => first && samples.every((one) => of(one) === (inHeader ? of(first) : 0)),
  );
  const own = SAMPLE_FIELDS.filter((field) => !common.includes(field));
  const defaults = common.filter(({ inHeader }) => inHeader);
  const sum = (flags: readonly number[]): number => flags.reduce((a, b) => a | b, 0);
  const header = BASE_IS_MOOF | sum(defaults.map(({ inHeader }) => inHeader));
  const runFlags = HAS_DATA_OFFSET | sum(own.map(({ inRun }) => inRun));
  const run = new Uint8Array(samples.length * own.length * 4);
  const view = viewOf(run);
  samples.forEach((sample, index) => {
    const at = index * own.length * 4;
    // Negative offsets as two's complement.
    own.forEach(({ of }, field) => {
      view.setInt32(at + field * 4, of(sample));
    });
  });
  const moofWith = (dataOffset: number): Uint8Array =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(sequence)),
      box(
        'traf',
        fullBox(
          'tfhd',
          0,
          header,
          u32(trackId),
          ...defaults.map(({ of }) => u32(first ? of(first) : 0)),
        ),
        fullBox('tfdt', 1, 0, u64(startTicks)),
        fullBox('trun', 1, runFlags, u32(samples.length), u32(dataOffset), run),
      ),
    );
  const moof = moofWith(moofWith(0).byteLength + 8);
  const dataBytes = samples.reduce((total, { bytes }) => total + bytes.byteLength, 0);
  const dataHeader = Uint8Array.from([...u32(8 + dataBytes), ...Buffer.from('mdat')]);
  return Buffer.concat([moof, dataHeader, ...samples.map(({ bytes }) => bytes)]);
}

/** RFC 6381, from the `avcC` box of an init segment. */
export function avcCodecString(init: Uint8Array): string {
  const avcC = Buffer.from(init.buffer, init.byteOffset, init.byteLength).indexOf('avcC');
  const profile = init.subarray(avcC + 5, avcC + 8);
  return `avc1.${Buffer.from(profile).toString('hex')}`;
}
