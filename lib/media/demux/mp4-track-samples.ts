/** Where the samples of an MP4's tracks lie, from its tables and its fragments. */

import type { Notice } from '../../domain/notice.ts';
import { truncated } from './demuxed-segment.ts';
import { childAt, type Mp4Box, undecodable } from './mp4-boxes.ts';
import { type FragmentReader, readFragment, readTrackDefaults } from './mp4-fragments.ts';
import { readSampleTable } from './mp4-sample-tables.ts';
import { type Mp4Sample, requireDistinctBytes, SampleBudget } from './mp4-samples.ts';
import { countListedSamples, type Mp4Track } from './mp4-tracks.ts';

export type Mp4Source = Readonly<{
  bytes: Uint8Array;
  /** The top level of `bytes`. */
  boxes: readonly Mp4Box[];
  /** Where `bytes` break off; a sentence. */
  damage?: string | undefined;
  /** What `moov` lies in: `bytes`, or the init segment. */
  header: Uint8Array;
  moov: Mp4Box;
}>;

export type TrackSamples = Readonly<{
  /** Of known tracks, in decode order; all lie in the bytes. */
  samples: ReadonlyMap<number, readonly Mp4Sample[]>;
  /** Tracks that have samples, known or not. For those with tables of their own, how many. */
  counts: ReadonlyMap<number, number>;
  notices: readonly Notice[];
}>;

/** Throws DomainError: `undecodable`, `truncated_segment`. */
export function readSamples(source: Mp4Source, tracks: readonly Mp4Track[]): TrackSamples {
  const { bytes, header, damage } = source;
  const known = tracks.filter(({ isKnown }) => isKnown);
  const samples = new Map(known.map(({ trackId }) => [trackId, [] as Mp4Sample[]]));
  const counts = new Map<number, number>();
  const nextTime = new Map<number, number>();
  const notices: Notice[] = [];
  const budget = new SampleBudget();
  // Tables of an init segment that comes apart would be of another file.
  for (const track of header === bytes ? tracks : []) {
    const count = countListedSamples(bytes, track);
    if (count > 0) counts.set(track.trackId, count);
    const stbl = childAt(track.trak, 'mdia', 'minf', 'stbl');
    if (!track.isKnown || !stbl) continue;
    const table = readSampleTable(bytes, stbl, track.trackId, budget);
    if (count > 0 && table.samples.length === 0) {
      throw undecodable(`The tables of track ${track.trackId} list none of its ${count} samples.`);
    }
    if (!lieInside(bytes, table.samples)) throw outside(damage);
    samples.get(track.trackId)?.push(...table.samples);
    nextTime.set(track.trackId, table.endTime);
    if (table.unlisted > 0) notices.push(unlistedNotice(track.trackId, table.unlisted, count));
  }
  notices.push(...readFragments(source, samples, counts, nextTime, budget));
  for (const [trackId, list] of samples) requireDistinctBytes(list, trackId, bytes.byteLength);
  return { samples, counts, notices };
}

function readFragments(
  { bytes, boxes, damage, header, moov }: Mp4Source,
  samples: ReadonlyMap<number, Mp4Sample[]>,
  counts: Map<number, number>,
  nextTime: Map<number, number>,
  budget: SampleBudget,
): Notice[] {
  const reader: FragmentReader = {
    ...{ bytes, boxes, budget, nextTime },
    hasHeader: header === bytes,
    defaults: readTrackDefaults(header, moov),
    wanted: new Set(samples.keys()),
    present: new Set(),
  };
  let whole = 0;
  let cut = 0;
  for (const [index, { type }] of boxes.entries()) {
    if (type !== 'moof') continue;
    const fragment = readFragment(reader, index);
    if (![...fragment.values()].every((list) => lieInside(bytes, list))) {
      if (!damage) throw outside();
      cut += 1;
      continue;
    }
    whole += 1;
    for (const [trackId, list] of fragment) samples.get(trackId)?.push(...list);
  }
  for (const trackId of reader.present) {
    if (!counts.has(trackId)) counts.set(trackId, Number.POSITIVE_INFINITY);
  }
  if (!damage) return [];
  if (whole === 0 && header !== bytes) throw truncated(damage);
  if (whole === 0 && cut > 0) throw truncated(damage);
  const kept = whole > 0 ? `The ${whole} fragments before it are kept.` : 'All samples are there.';
  return [{ code: 'damaged', message: `${damage} ${kept}` }];
}

const lieInside = (bytes: Uint8Array, samples: readonly Mp4Sample[]): boolean =>
  samples.every(({ at, sizeBytes }) => at >= 0 && at + sizeBytes <= bytes.byteLength);

const outside = (damage = 'Some samples lie outside the media data.') => truncated(damage);

const unlistedNotice = (trackId: number, unlisted: number, all: number): Notice => ({
  code: 'damaged',
  message: `${unlisted} of the ${all} samples of track ${trackId} are not in all of its tables; they are left out.`,
});
