/**
 * Removes the objects and records of a removal, in pages: first the objects that records name, then those
 * records. Whatever attempt is killed, the next one finds the records that are left. Init segments stay,
 * as later segments need them.
 */

import type { Removal } from '../../domain/kept.ts';
import {
  mediaPrefix,
  recordingPrefix,
  segmentFilesBetween,
  silenceKey,
  sourcePrefix,
} from '../../domain/object-keys.ts';
import type { RemovedRange } from '../../domain/retention.ts';
import { storedBytesOf } from '../../domain/segment.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { WorkerDeps } from '../deps.ts';
import {
  runRecords,
  type StoredRecord,
  segmentRecords,
  timelineRecords,
} from '../records/expired-records.ts';
import type { Versioned } from '../records/record-types.ts';
import { writeRemoval } from '../records/removal-records.ts';
import { expiredMarkers } from './retention-markers.ts';

const FILES = 1000;
const MARKERS = 90;

/** Of one run of the job. */
const MAX_PAGES = 400;

/** false if there is more to do. Throws what `signal` was aborted with. */
export async function purgeRemoval(
  deps: WorkerDeps,
  stream: Stream,
  state: TimelineState,
  removal: Versioned<Removal>,
  signal: AbortSignal,
): Promise<boolean> {
  const purge = new Purge(deps, stream, state, removal, signal);
  // From here on it cannot be cancelled.
  await purge.write({ purging: true });
  await removeOldPlaylists(deps, stream, state, removal.value);
  const runs = (await deps.records.runs(stream)).map(({ run }) => run);
  for (const range of removal.value.ranges) {
    for (const run of runs) {
      if (run < range.fromPlace.run || run > range.toPlace.run) continue;
      if (!(await purge.run(range, run))) return false;
    }
    if (!(await purge.entries(range))) return false;
  }
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

  constructor(
    deps: WorkerDeps,
    stream: Stream,
    state: TimelineState,
    removal: Versioned<Removal>,
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#stream = stream;
    this.#state = state;
    this.#removal = removal;
    this.#signal = signal;
  }

  /** Throws if another worker writes it as well, or if the stream was deleted. */
  async write(
    change: Partial<Removal>,
    deleted: readonly Pick<StoredRecord, 'partition' | 'sort'>[] = [],
  ): Promise<void> {
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
    await this.#removeFiles(run, from, to);
    const done = await this.#purge(() => segmentRecords(this.#deps, this.#stream, run, from, to));
    const left = done ? await runRecords(this.#deps, this.#stream, run, this.#state.run) : [];
    if (left.length > 0) await this.write({}, left);
    return done;
  }

  entries({ from, to }: RemovedRange): Promise<boolean> {
    return this.#purge(() => timelineRecords(this.#deps, this.#stream, from, to));
  }

  /** At most ten thousand changes are there. */
  async markers(): Promise<void> {
    const expired = await expiredMarkers(
      this.#deps,
      this.#stream,
      this.#state,
      this.#removal.value,
    );
    for (let from = 0; from < expired.length; from += MARKERS) {
      this.#signal.throwIfAborted();
      const some = expired.slice(from, from + MARKERS);
      const changes = some.filter(({ isChange }) => isChange).length;
      await this.write({ purgedChanges: this.#removal.value.purgedChanges + changes }, some);
    }
  }

  async #purge(next: () => Promise<readonly StoredRecord[]>): Promise<boolean> {
    for (let page = await next(); page.length > 0; page = await next()) {
      this.#signal.throwIfAborted();
      if (this.#pages === MAX_PAGES) return false;
      this.#pages += 1;
      await this.#deps.media.delete(this.#objectsOf(page));
      const bytes = page.reduce((sum, record) => sum + bytesOf(record), 0);
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

  async #removeFiles(run: number, from: number, to: number): Promise<void> {
    const { media } = this.#deps;
    for (const { prefix, ...range } of segmentFilesBetween(this.#stream, run, from, to)) {
      let isMore = true;
      while (isMore) {
        this.#signal.throwIfAborted();
        const keys = await media.list(prefix, { ...range, limit: FILES });
        if (keys.length > 0) await media.delete(keys);
        isMore = keys.length === FILES;
      }
    }
  }
}

const bytesOf = ({ outcome }: StoredRecord): number =>
  outcome?.type === 'rendered' ? storedBytesOf(outcome) : 0;

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
    const [, , , keptVersion = 0] = key.slice(prefix.length).split(/[-/]/, 4).map(Number);
    return (Number.isNaN(keptVersion) ? 0 : keptVersion) < version;
  });
  if (old.length > 0) await media.delete(old);
}
