/**
 * Removes the objects and records of a removal, in pages: first the objects that records name, then those
 * records. Whatever attempt is killed, the next one finds the records that are left. Init segments stay,
 * as later segments need them.
 */

import { withTrack } from '../../../domain/languages/language-track.ts';
import {
  mediaPrefix,
  recordingPrefix,
  type StreamIdentity,
  silenceKey,
  sourcePrefix,
} from '../../../domain/object-keys.ts';
import type { LateArrival } from '../../../domain/recording.ts';
import type { Removal } from '../../../domain/retention/kept.ts';
import {
  isInRanges,
  type KeepRules,
  type RemovedRange,
} from '../../../domain/retention/retention.ts';
import { storedBytesOf } from '../../../domain/segment.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { WorkerDeps } from '../../deps.ts';
import { clipSort, savedClips } from '../../records/clip-records.ts';
import {
  runRecords,
  type StoredRecord,
  segmentRecords,
  timelineRecords,
} from '../../records/expired-records.ts';
import { partitionOf } from '../../records/record-keys.ts';
import type { LatePiece, Versioned } from '../../records/record-types.ts';
import { type DeletedRecords, writeRemoval } from '../../records/removal-records.ts';
import { expiredCaptions } from './retention-captions.ts';
import { removeSegmentFiles, removeWholeFiles } from './retention-files.ts';
import { endOfExpired } from './retention-languages.ts';
import { expiredMarkers } from './retention-markers.ts';

/** Of one write. */
const RECORDS = 90;

/** Of one run of the job. */
const MAX_PAGES = 400;

export type PurgeTerms = Readonly<{
  state: TimelineState;
  rules: KeepRules;
  removal: Versioned<Removal>;
  signal: AbortSignal;
}>;

/** false if there is more to do. Throws what the signal was aborted with. */
export async function purgeRemoval(
  deps: WorkerDeps,
  stream: Stream,
  terms: PurgeTerms,
): Promise<boolean> {
  const { state, removal, rules } = terms;
  const purge = new Purge(deps, stream, terms);
  // From here on it cannot be cancelled.
  await purge.write({ purging: true });
  await removeOldPlaylists(deps, stream, state, removal.value);
  await removeWholeFiles(deps, stream, state);
  const runs = (await deps.records.runs(stream)).map(({ run }) => run);
  await removeSegmentFiles(deps, stream, state, runs, removal.value.ranges, terms.signal);
  for (const range of removal.value.ranges) {
    for (const run of runs) {
      if (run < range.fromPlace.run || run > range.toPlace.run) continue;
      if (!(await purge.run(range, run))) return false;
    }
    if (!(await purge.entries(range))) return false;
  }
  for (const { name } of stream.languages ?? []) {
    if (!(await purge.language(name))) return false;
  }
  await purge.captions();
  await purge.clips(rules);
  await purge.markers();
  await purge.write({ status: 'purged' });
  return true;
}

class Purge {
  readonly #deps: WorkerDeps;
  readonly #stream: Stream;
  readonly #state: TimelineState;
  readonly #signal: AbortSignal;
  #removal: Versioned<Removal>;
  #pages = 0;

  constructor(deps: WorkerDeps, stream: Stream, { state, removal, signal }: PurgeTerms) {
    this.#deps = deps;
    this.#stream = stream;
    this.#state = state;
    this.#removal = removal;
    this.#signal = signal;
  }

  /** Throws if another worker writes it as well, or if the stream was deleted. */
  async write(change: Partial<Removal>, deleted: DeletedRecords = []): Promise<void> {
    const { value, version } = this.#removal;
    const changed = { ...value, ...change };
    if (!(await writeRemoval(this.#deps, this.#stream, changed, version, deleted))) {
      throw new Error(`Removal ${value.id} of ${this.#stream.videoId} was changed meanwhile.`);
    }
    this.#removal = { value: changed, version: version + 1 };
  }

  /** The segments of one run in the range, listed or not. */
  async run({ fromPlace, toPlace }: RemovedRange, run: number): Promise<boolean> {
    const from = run === fromPlace.run ? fromPlace.number : 0;
    const to = run === toPlace.run ? toPlace.number : Number.POSITIVE_INFINITY;
    if (from >= to) return true;
    const done = await this.#purge(
      () => segmentRecords(this.#deps, this.#stream, run, from, to),
      (record) => bytesOf(record) + languageBytesOf(record, this.#languages()),
    );
    if (done) await this.#endRun(this.#stream, run, this.#state.run);
    return done;
  }

  /** Segments of a language that is uploaded on its own: by the wall clock of the floor. */
  async language(name: string): Promise<boolean> {
    const track = withTrack<StreamIdentity>(this.#stream, name);
    const runs = await this.#deps.records.runs(track);
    const { floorMs } = this.#removal.value.floor;
    for (const run of runs) {
      for (;;) {
        const to = await endOfExpired(this.#deps, track, run, floorMs);
        if (to === undefined) break;
        const records = () => segmentRecords(this.#deps, track, run.run, 0, to);
        if (!(await this.#purge(records, countedBytesOf))) return false;
      }
      await this.#endRun(track, run.run, runs.at(-1)?.run ?? run.run);
    }
    return true;
  }

  async #endRun(of: StreamIdentity, run: number, currentRun: number): Promise<void> {
    const left = await runRecords(this.#deps, of, run, currentRun);
    if (left.length > 0) await this.write({}, left);
  }

  entries({ from, to }: RemovedRange): Promise<boolean> {
    return this.#purge(
      () => timelineRecords(this.#deps, this.#stream, from, to),
      (record) => languageBytesOf(record, this.#languages()),
    );
  }

  #languages(): ReadonlySet<string> {
    return new Set(this.#stream.languages?.map(({ name }) => name));
  }

  async captions(): Promise<void> {
    const expired = await expiredCaptions(
      this.#deps,
      this.#stream,
      this.#state,
      this.#removal.value,
    );
    for (let from = 0; from < expired.length; from += RECORDS) {
      this.#signal.throwIfAborted();
      const some = expired.slice(from, from + RECORDS);
      await this.#deps.media.delete(some.flatMap(({ key }) => key ?? []));
      const { purgedCaptions: { changes, weight } = { changes: 0, weight: 0 } } =
        this.#removal.value;
      const purgedCaptions = {
        changes: changes + some.filter(({ isChange }) => isChange).length,
        weight: some.reduce((sum, one) => sum + one.weight, weight),
      };
      await this.write(
        { purgedCaptions },
        some.map(({ partition, sort, expect }) => ({
          ...{ partition, sort },
          ...(expect !== undefined && { expect }),
        })),
      );
    }
  }

  /** Those that are kept no longer, and of which nothing is left. */
  async clips({ expiredMs, ranges }: KeepRules): Promise<void> {
    const { floorMs } = this.#removal.value.floor;
    const partition = partitionOf(this.#stream);
    const clips = await savedClips(this.#deps, this.#stream);
    const expired = clips.filter(
      (clip) => clip.toMs <= Math.min(expiredMs, floorMs) && !isInRanges(ranges, clip),
    );
    for (let from = 0; from < expired.length; from += RECORDS) {
      const some = expired.slice(from, from + RECORDS);
      await this.write(
        {},
        some.map(({ id }) => ({ partition, sort: clipSort(id) })),
      );
    }
  }

  /** At most ten thousand changes are there. */
  async markers(): Promise<void> {
    const expired = await expiredMarkers(
      this.#deps,
      this.#stream,
      this.#state,
      this.#removal.value,
    );
    for (let from = 0; from < expired.length; from += RECORDS) {
      this.#signal.throwIfAborted();
      const some = expired.slice(from, from + RECORDS);
      const changes = some.filter(({ isChange }) => isChange).length;
      await this.write({ purgedChanges: this.#removal.value.purgedChanges + changes }, some);
    }
  }

  /** `sizeOf`: what a record has counted in the stream's stored bytes. */
  async #purge(
    next: () => Promise<readonly StoredRecord[]>,
    sizeOf: (record: StoredRecord) => number,
  ): Promise<boolean> {
    for (let page = await next(); page.length > 0; page = await next()) {
      this.#signal.throwIfAborted();
      if (this.#pages === MAX_PAGES) return false;
      this.#pages += 1;
      await this.#deps.media.delete(this.#objectsOf(page));
      const bytes = page.reduce((sum, record) => sum + sizeOf(record), 0);
      await this.write({ purgedBytes: this.#removal.value.purgedBytes + bytes }, page);
    }
    return true;
  }

  /** All that the records name, but for what others name as well. */
  #objectsOf(page: readonly StoredRecord[]): readonly string[] {
    const prefixes = [sourcePrefix(this.#stream), mediaPrefix(this.#stream)];
    const keys = page.flatMap(({ value, sequence }) => [
      ...keysIn(value),
      ...(sequence === undefined ? [] : this.#silencesAt(sequence)),
    ]);
    return [...new Set(keys)].filter(
      (key) => prefixes.some((prefix) => key.startsWith(prefix)) && key !== this.#state.poster,
    );
  }

  /** Of audio that began after the stream; its keys are in no record. */
  #silencesAt(sequence: number): readonly string[] {
    return Object.entries(this.#state.renditions)
      .filter(([, { silence }]) => silence && sequence >= silence.from && sequence < silence.to)
      .map(([name]) => silenceKey(this.#stream, name, sequence));
  }
}

const bytesOf = ({ outcome }: StoredRecord): number =>
  outcome?.type === 'rendered' ? storedBytesOf(outcome) : 0;

/** What a segment of a language that is uploaded on its own has counted. */
const countedBytesOf = ({ value }: StoredRecord): number =>
  (value as Readonly<{ countedBytes?: number }> | null)?.countedBytes ?? 0;

/** Of languages that are composed: in an entry, for it when it was listed without, or for what came late. */
function languageBytesOf({ value, outcome }: StoredRecord, languages: ReadonlySet<string>): number {
  if (outcome || typeof value !== 'object' || value === null) return 0;
  const { renditions, pieces, piece, replaced = [] } = value as Partial<LateArrival & LatePiece>;
  const listed = [renditions, ...(pieces ?? []).map((one) => one.renditions)].flatMap((named) =>
    Object.entries(named ?? {}).flatMap(([name, one]) => (languages.has(name) ? [one] : [])),
  );
  const all = [...listed, ...(piece ? [piece] : []), ...replaced];
  return all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Init segments are named as `initKey`, and belong to others as well. */
function keysIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'initKey' ? [] : keysIn(inner),
  );
}

/** Of a long recording, as it was before the removal. */
async function removeOldPlaylists(
  { media }: WorkerDeps,
  stream: Stream,
  { kept }: TimelineState,
  removal: Removal,
): Promise<void> {
  const version = kept?.removals.find(({ id }) => id === removal.id)?.version ?? 0;
  const prefix = recordingPrefix(stream);
  const keys = await media.list(prefix);
  const old = keys.filter((key) => {
    const [, keptVersion = 0] = key.slice(prefix.length).match(/^[^/]*-k(\d+)\//) ?? [];
    return Number(keptVersion) < version;
  });
  if (old.length > 0) await media.delete(old);
}
