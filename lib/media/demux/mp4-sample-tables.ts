/** The samples that the tables of a `trak` list (ISO/IEC 14496-12, 8.6 and 8.7). */

import { BoxFields, childAt, type Mp4Box } from './mp4-boxes.ts';
import { type Mp4Sample, requirePlausible, type SampleBudget } from './mp4-samples.ts';

export type SampleTable = Readonly<{
  samples: readonly Mp4Sample[];
  /** Decode time behind the last sample, in the track's time scale. */
  endTime: number;
  /** Samples that one table lists and another does not; they are left out. */
  unlisted: number;
}>;

/** `stbl`: of the track. Throws DomainError `undecodable`. */
export function readSampleTable(
  bytes: Uint8Array,
  stbl: Mp4Box,
  trackId: number,
  budget: SampleBudget,
): SampleTable {
  const sizes = readSizes(bytes, stbl, trackId, budget);
  const places = placesOf(bytes, stbl, sizes);
  const durations = expandRuns(bytes, childAt(stbl, 'stts'), 'u32');
  const offsets = expandRuns(bytes, childAt(stbl, 'ctts'), 'i32');
  const isSync = readSyncSamples(bytes, stbl, sizes.length);
  const samples: Mp4Sample[] = [];
  let decode = 0;
  for (const place of places) {
    const duration = durations.next();
    if (duration.done) break;
    const offset = offsets.next();
    samples.push({
      ...place,
      presentation: decode + (offset.done ? 0 : offset.value),
      duration: duration.value,
      isSync: isSync(samples.length + 1),
    });
    decode += duration.value;
  }
  return { samples, endTime: decode, unlisted: sizes.length - samples.length };
}

/** `stsz` or `stz2` (8.7.3). */
function readSizes(
  bytes: Uint8Array,
  stbl: Mp4Box,
  trackId: number,
  budget: SampleBudget,
): readonly number[] {
  const box = childAt(stbl, 'stsz') ?? childAt(stbl, 'stz2');
  if (!box) return [];
  const fields = new BoxFields(bytes, box);
  fields.versionAndFlags();
  const word = fields.u32();
  const count = fields.u32();
  budget.spend(trackId, count, box.type);
  if (box.type === 'stsz') {
    if (word === 0) fields.requireEntries(count, 4);
    return Array.from({ length: count }, () => (word === 0 ? fields.u32() : word));
  }
  const bits = word & 0xff;
  fields.requireEntries(count, bits / 8);
  if (bits === 16) return Array.from({ length: count }, () => fields.u16());
  if (bits === 8) return Array.from({ length: count }, () => fields.u8());
  let pair = 0;
  return Array.from({ length: count }, (_, index) => {
    if (index % 2 === 1) return pair & 0x0f;
    pair = fields.u8();
    return pair >> 4;
  });
}

/** Where each sample lies: chunks (`stco`, `co64`) of as many samples as `stsc` says (8.7.4, 8.7.5). */
function* placesOf(bytes: Uint8Array, stbl: Mp4Box, sizes: readonly number[]) {
  const runs = childAt(stbl, 'stsc');
  const chunks = childAt(stbl, 'stco') ?? childAt(stbl, 'co64');
  if (!runs || !chunks || sizes.length === 0) return;
  const chunkFields = new BoxFields(bytes, chunks);
  chunkFields.versionAndFlags();
  const isLong = chunks.type === 'co64';
  const chunkCount = chunkFields.entryCount(isLong ? 8 : 4);
  const runFields = new BoxFields(bytes, runs);
  runFields.versionAndFlags();
  let runsLeft = runFields.entryCount(12);
  const readRun = () => {
    if (--runsLeft < 0) return undefined;
    return { firstChunk: runFields.u32(), samples: runFields.u32(), description: runFields.u32() };
  };
  let run = readRun();
  let next = readRun();
  let index = 0;
  for (let chunk = 1; chunk <= chunkCount && run; chunk += 1) {
    while (next && next.firstChunk <= chunk) {
      run = next;
      next = readRun();
    }
    let at = isLong ? chunkFields.u64() : chunkFields.u32();
    for (let count = 0; count < run.samples; count += 1) {
      const sizeBytes = sizes[index++];
      if (sizeBytes === undefined) return;
      yield { at, sizeBytes, description: run.description };
      at += sizeBytes;
    }
  }
}

/** The value of each sample in a table of runs, `stts` or `ctts` (8.6.1). */
function* expandRuns(bytes: Uint8Array, box: Mp4Box | undefined, kind: 'u32' | 'i32') {
  if (!box) return;
  const sums = new BoxFields(bytes, box);
  sums.versionAndFlags();
  const entries = sums.entryCount(8);
  let announced = 0;
  for (let entry = 0; entry < entries; entry += 1) {
    announced += sums.u32();
    sums.skip(4);
  }
  requirePlausible(announced, box.type);
  const fields = new BoxFields(bytes, box);
  fields.skip(8);
  for (let entry = 0; entry < entries; entry += 1) {
    const count = fields.u32();
    // Offsets are signed in version 1 of ctts only; muxers write negative ones in version 0, too.
    const value = fields[kind]();
    for (let sample = 0; sample < count; sample += 1) yield value;
  }
}

/** Without `stss` all samples are sync samples (8.6.2); `stps` (QuickTime) adds open GOPs. */
function readSyncSamples(
  bytes: Uint8Array,
  stbl: Mp4Box,
  samples: number,
): (number: number) => boolean {
  if (!childAt(stbl, 'stss')) return () => true;
  const numbers = new Set<number>();
  for (const type of ['stss', 'stps']) {
    const box = childAt(stbl, type);
    if (!box) continue;
    const fields = new BoxFields(bytes, box);
    fields.versionAndFlags();
    for (let left = fields.entryCount(4); left > 0; left -= 1) {
      const number = fields.u32();
      if (number <= samples) numbers.add(number);
    }
  }
  return (number) => numbers.has(number);
}
