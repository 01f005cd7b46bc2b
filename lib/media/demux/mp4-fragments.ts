/** The samples of movie fragments (ISO/IEC 14496-12, 8.8). */

import { DomainError } from '../../domain/errors.ts';
import { BoxFields, childAt, type Mp4Box, undecodable } from './mp4-boxes.ts';
import type { Mp4Sample, SampleBudget } from './mp4-samples.ts';

type Defaults = Readonly<{
  description: number;
  duration: number;
  sizeBytes: number;
  flags: number;
}>;

export type FragmentReader = Readonly<{
  bytes: Uint8Array;
  /** The top level of `bytes`. */
  boxes: readonly Mp4Box[];
  /** The bytes are a whole file, with the header in it. */
  hasHeader: boolean;
  /** `trex`, by track. */
  defaults: ReadonlyMap<number, Defaults>;
  /** Samples of other tracks are not listed. */
  wanted: ReadonlySet<number>;
  budget: SampleBudget;
  /** Where each track's decode time goes on when a fragment does not say it; kept up to date. */
  nextTime: Map<number, number>;
  /** Tracks that have samples, wanted or not; kept up to date. */
  present: Set<number>;
}>;

const NO_DEFAULTS: Defaults = { description: 1, duration: 0, sizeBytes: 0, flags: 0 };
const NON_SYNC = 0x1_0000;

/** `trex` of a `moov` (8.8.3). */
export function readTrackDefaults(bytes: Uint8Array, moov: Mp4Box): Map<number, Defaults> {
  const extends_ = moov.children.filter(({ type }) => type === 'mvex');
  const boxes = extends_.flatMap(({ children }) => children.filter(({ type }) => type === 'trex'));
  return new Map(
    boxes.map((box) => {
      const fields = new BoxFields(bytes, box);
      fields.versionAndFlags();
      const trackId = fields.u32();
      const [description, duration] = [fields.u32(), fields.u32()];
      return [trackId, { description, duration, sizeBytes: fields.u32(), flags: fields.u32() }];
    }),
  );
}

/**
 * Samples by track of the `moof` at a place among the boxes; they may lie outside the bytes. Throws
 * DomainError `undecodable`.
 */
export function readFragment(reader: FragmentReader, index: number): Map<number, Mp4Sample[]> {
  const moof = reader.boxes[index];
  const parts: TrackFragment[] = [];
  if (!moof) return new Map();
  for (const traf of moof.children) {
    if (traf.type === 'traf') parts.push(readTrackFragment(reader, moof, traf, parts.at(-1)));
  }
  const moved = distanceMoved(reader, index, parts);
  const samples = new Map<number, Mp4Sample[]>();
  for (const part of parts) {
    const list = samples.get(part.trackId) ?? [];
    for (const sample of part.samples) {
      list.push(part.isAbsolute ? { ...sample, at: sample.at + moved } : sample);
    }
    if (reader.wanted.has(part.trackId)) samples.set(part.trackId, list);
  }
  return samples;
}

type TrackFragment = Readonly<{
  trackId: number;
  samples: readonly Mp4Sample[];
  /** Offsets count from the start of a file that `bytes` may have been cut out of. */
  isAbsolute: boolean;
  /** Of the offsets. */
  base: number;
  /** All its data, also of tracks that are not wanted. */
  from: number;
  to: number;
}>;

/** 8.8.7: offsets count from where `tfhd` says, else from the moof or the data of the traf before. */
function readTrackFragment(
  { bytes, defaults, wanted, budget, nextTime, present }: FragmentReader,
  moof: Mp4Box,
  traf: Mp4Box,
  before: TrackFragment | undefined,
): TrackFragment {
  const header = childAt(traf, 'tfhd');
  if (!header) throw undecodable('A fragment has no tfhd box.');
  const fields = new BoxFields(bytes, header);
  const { flags } = fields.versionAndFlags();
  const trackId = fields.u32();
  const fallback = defaults.get(trackId) ?? NO_DEFAULTS;
  const startsMoof = (flags & 0x2_0000) !== 0 || !before;
  const base = flags & 0x01 ? fields.u64() : startsMoof ? moof.start : before.to;
  const isAbsolute = (flags & 0x01) !== 0 || (!startsMoof && before.isAbsolute);
  const own: Defaults = {
    description: flags & 0x02 ? fields.u32() : fallback.description,
    duration: flags & 0x08 ? fields.u32() : fallback.duration,
    sizeBytes: flags & 0x10 ? fields.u32() : fallback.sizeBytes,
    flags: flags & 0x20 ? fields.u32() : fallback.flags,
  };
  let decode = readDecodeTime(bytes, traf) ?? nextTime.get(trackId) ?? 0;
  const isWanted = wanted.has(trackId);
  const samples: Mp4Sample[] = [];
  let at = base;
  let from = Number.POSITIVE_INFINITY;
  for (const box of traf.children) {
    if (box.type !== 'trun') continue;
    const run = readRunHeader(bytes, box, own);
    if (run.count > 0) present.add(trackId);
    if (isWanted) budget.spend(trackId, run.count, 'trun');
    if (run.dataOffset !== undefined) at = base + run.dataOffset;
    from = Math.min(from, at);
    if (!isWanted && !run.hasSizes) {
      at += run.count * own.sizeBytes;
      continue;
    }
    for (const { composition, sizeBytes, duration, flags } of run.rows()) {
      if (isWanted) {
        samples.push({
          ...{ at, sizeBytes, duration, presentation: decode + composition },
          isSync: (flags & NON_SYNC) === 0,
          description: own.description,
        });
      }
      at += sizeBytes;
      decode += duration;
    }
  }
  nextTime.set(trackId, decode);
  return { trackId, samples, isAbsolute, base, from: Math.min(from, at), to: at };
}

function readDecodeTime(bytes: Uint8Array, traf: Mp4Box): number | undefined {
  const box = childAt(traf, 'tfdt');
  if (!box) return undefined;
  const fields = new BoxFields(bytes, box);
  return fields.versionAndFlags().version === 1 ? fields.u64() : fields.u32();
}

/** 8.8.8. `rows` reads the entries, which lie in the box; without sizes they may take no room at all. */
function readRunHeader(bytes: Uint8Array, box: Mp4Box, own: Defaults) {
  const fields = new BoxFields(bytes, box);
  const { flags } = fields.versionAndFlags();
  const count = fields.u32();
  const dataOffset = flags & 0x01 ? fields.i32() : undefined;
  const firstFlags = flags & 0x04 ? fields.u32() : undefined;
  const columns = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag);
  fields.requireEntries(count, 4 * columns.length);
  const rows = function* () {
    for (let index = 0; index < count; index += 1) {
      const duration = flags & 0x100 ? fields.u32() : own.duration;
      const sizeBytes = flags & 0x200 ? fields.u32() : own.sizeBytes;
      const ownFlags = flags & 0x400 ? fields.u32() : own.flags;
      const composition = flags & 0x800 ? fields.i32() : 0;
      const sampleFlags = index === 0 ? (firstFlags ?? ownFlags) : ownFlags;
      yield { duration, sizeBytes, composition, flags: sampleFlags };
    }
  };
  return { count, dataOffset, hasSizes: (flags & 0x200) !== 0, rows };
}

/**
 * How far the data of a moof with absolute offsets has moved since they were written. The first that
 * leads to its data: not at all; as far as the moof itself, which muxers count from; or so far that the
 * data begins where that of the moof begins.
 */
function distanceMoved(
  { bytes, boxes, hasHeader }: FragmentReader,
  index: number,
  parts: readonly TrackFragment[],
): number {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  for (const part of parts) {
    if (!part.isAbsolute) continue;
    from = Math.min(from, part.from);
    to = Math.max(to, part.to);
  }
  if (from >= to) return 0;
  const base = parts.find(({ isAbsolute }) => isAbsolute)?.base ?? 0;
  const moofStart = boxes[index]?.start ?? 0;
  const { start, end } = dataBehind(boxes, index);
  const moved = [0, moofStart - base, start - from].find(
    (distance) => from + distance >= start && to + distance <= end,
  );
  if (moved !== undefined) return moved;
  if (hasHeader && to <= bytes.byteLength) return 0;
  throw new DomainError(
    'undecodable',
    `The fragment's data offsets are absolute (base-data-offset ${base}) and lead to none of its data.`,
    'Write offsets that count from the moof box (ffmpeg: -movflags +default_base_moof), as RFC 8216, 3.3 asks.',
  );
}

/** Where the contents of the `mdat` begin and end that lie between a moof and the next one. */
function dataBehind(boxes: readonly Mp4Box[], index: number) {
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (let at = index + 1; at < boxes.length; at += 1) {
    const box = boxes[at];
    if (!box || box.type === 'moof') break;
    if (box.type !== 'mdat') continue;
    start = Math.min(start, box.bodyStart);
    end = box.end;
  }
  return { start, end };
}
