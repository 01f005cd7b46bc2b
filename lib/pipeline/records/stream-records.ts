/**
 * Typed access to the records of streams. Partitions and sort keys are used here alone. Writes that
 * answer a boolean are conditional: false means that another process was first.
 */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { LateArrival } from '../../domain/recording.ts';
import type { Removal } from '../../domain/retention/kept.ts';
import type { SegmentOutcome, SourceSegment } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { EMPTY_TIMELINE, type TimelineEntry, type TimelineState } from '../../domain/timeline.ts';
import type { RecordStore, Write } from '../../ports/ports.ts';
import { LanguageRecords } from './language-records.ts';
import { find, put } from './record-access.ts';
import {
  CATALOGUE,
  digits,
  HIGHEST,
  lateArrivalSort,
  numbersOf,
  outcomeSort,
  partitionOf,
  queuedSort,
  removalSort,
  runSort,
  segmentSort,
  settingsOf,
  timelineSort,
} from './record-keys.ts';
import type {
  EndRequest,
  NextHousekeeping,
  PresignedUploadRecord,
  RecordingPlaylists,
  Versioned,
} from './record-types.ts';

export class StreamRecords extends LanguageRecords {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    super(store);
    this.#store = store;
  }

  // Streams

  findStream(videoId: string): Promise<Versioned<Stream> | undefined> {
    return find<Stream>(this.#store, settingsOf(videoId), 'stream');
  }

  async listVideoIds(): Promise<string[]> {
    const items = await this.#store.query(CATALOGUE);
    return items.map((item) => item.sort);
  }

  createStream(stream: Stream): Promise<boolean> {
    return this.#store.write([
      put(settingsOf(stream.videoId), 'stream', stream, 0),
      put(CATALOGUE, stream.videoId, { uid: stream.uid }),
    ]);
  }

  updateStream(stream: Stream, version: number): Promise<boolean> {
    return this.#store.write([put(settingsOf(stream.videoId), 'stream', stream, version)]);
  }

  removeStream(stream: Stream, version: number): Promise<boolean> {
    return this.#store.write([
      { type: 'delete', partition: settingsOf(stream.videoId), sort: 'stream', expect: version },
      { type: 'delete', partition: CATALOGUE, sort: stream.videoId },
    ]);
  }

  /** Everything that was recorded under a stream that is no longer in the catalogue. */
  async removeRecords(stream: StreamIdentity & Pick<Stream, 'languages'>): Promise<void> {
    for (const { name } of stream.languages ?? []) {
      await this.removeRecords({ videoId: stream.videoId, uid: stream.uid, track: name });
    }
    const runs = await this.runs(stream);
    const partitions = [...runs.map((run) => numbersOf(stream, run.run)), partitionOf(stream)];
    for (const partition of partitions) {
      for (;;) {
        const items = await this.#store.query(partition, { limit: 100 });
        if (items.length === 0) break;
        await this.#store.write(items.map(({ sort }) => ({ type: 'delete', partition, sort })));
      }
    }
  }

  // Runs

  async runs(stream: StreamIdentity): Promise<Run[]> {
    return this.#list<Run>(partitionOf(stream), runSort(0), `run/${HIGHEST}`);
  }

  async newestRun(stream: StreamIdentity): Promise<Run | undefined> {
    const range = { from: runSort(0), to: `run/${HIGHEST}`, limit: 1, descending: true };
    const [item] = await this.#store.query(partitionOf(stream), range);
    return item?.value as Run | undefined;
  }

  async getRun(stream: StreamIdentity, run: number): Promise<Run | undefined> {
    return (await find<Run>(this.#store, partitionOf(stream), runSort(run)))?.value;
  }

  /** Replaces a run by what `change` makes of it, until no other write comes between. */
  async changeRun(stream: StreamIdentity, run: number, change: (before: Run) => Run): Promise<Run> {
    const [partition, sort] = [partitionOf(stream), runSort(run)];
    for (;;) {
      const found = await find<Run>(this.#store, partition, sort);
      if (!found) throw new Error(`There is no run ${run} of ${stream.videoId}.`);
      const changed = change(found.value);
      if (changed === found.value) return changed;
      if (await this.#store.write([put(partition, sort, changed, found.version)])) return changed;
    }
  }

  async runOfSession(stream: StreamIdentity, session: string): Promise<Run | undefined> {
    const pointer = await find<{ run: number }>(
      this.#store,
      partitionOf(stream),
      `session/${session}`,
    );
    return pointer ? this.getRun(stream, pointer.value.run) : undefined;
  }

  // Source segments

  async findSegment(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<SourceSegment | undefined> {
    return (await find<SourceSegment>(this.#store, partitionOf(stream), segmentSort(run, number)))
      ?.value;
  }

  async newestSegment(stream: StreamIdentity, run: number): Promise<SourceSegment | undefined> {
    const range = { from: segmentSort(run, 0), to: `segment/${run}/${HIGHEST}` };
    const [item] = await this.#store.query(partitionOf(stream), {
      ...range,
      limit: 1,
      descending: true,
    });
    return item?.value as SourceSegment | undefined;
  }

  /** Acknowledges a segment; with it its run when it is the first, and `stream` if that does not exist yet. */
  recordSegment(
    stream: StreamIdentity,
    segment: SourceSegment,
    first?: Readonly<{ run: Run; stream?: Stream }>,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    const writes: Write[] = [
      put(partition, segmentSort(segment.run, segment.number), segment, 0),
      put(numbersOf(stream, segment.run), digits(segment.number), null),
    ];
    if (first) {
      const { run } = first;
      writes.push(put(partition, runSort(run.run), run, 0));
      writes.push(put(partition, `session/${run.session}`, { run: run.run }, 0));
      if (first.stream) {
        const { videoId, uid } = first.stream;
        writes.push(put(settingsOf(videoId), 'stream', first.stream, 0));
        writes.push(put(CATALOGUE, videoId, { uid }));
      }
    }
    return this.#store.write(writes);
  }

  /** Puts another source in the place of one; false if that one is no longer there. */
  async replaceSegment(
    stream: StreamIdentity,
    before: SourceSegment,
    segment: SourceSegment,
    run?: Run,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    const sort = segmentSort(before.run, before.number);
    const found = await find<SourceSegment>(this.#store, partition, sort);
    if (found?.value.digest !== before.digest) return false;
    return this.#store.write([
      put(partition, sort, segment, found.version),
      ...(run ? [put(partition, runSort(run.run), run)] : []),
    ]);
  }

  /** The highest numbers of a run, at most `limit`, in order. */
  async highestNumbers(stream: StreamIdentity, run: number, limit: number): Promise<number[]> {
    const range = { limit, descending: true };
    const items = await this.#store.query(numbersOf(stream, run), range);
    return items.map((item) => Number(item.sort)).reverse();
  }

  async numbersFrom(
    stream: StreamIdentity,
    run: number,
    from: number,
    limit: number,
  ): Promise<number[]> {
    const items = await this.#store.query(numbersOf(stream, run), { from: digits(from), limit });
    return items.map((item) => Number(item.sort));
  }

  /** When the job of a segment was queued again, and the mark's version; undefined: it was not. */
  queuedMark(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<Versioned<number> | undefined> {
    return find<number>(this.#store, partitionOf(stream), queuedSort(run, number));
  }

  /** false if the mark no longer has the version that was expected (0: none). */
  markQueued(
    stream: StreamIdentity,
    { run, number }: Readonly<{ run: number; number: number }>,
    atMs: number,
    expected?: number,
  ): Promise<boolean> {
    return this.#store.write([put(partitionOf(stream), queuedSort(run, number), atMs, expected)]);
  }

  findPresigned(
    stream: StreamIdentity,
    presignId: string,
  ): Promise<Versioned<PresignedUploadRecord> | undefined> {
    return find<PresignedUploadRecord>(this.#store, partitionOf(stream), `grant/${presignId}`);
  }

  async putPresigned(
    stream: StreamIdentity,
    upload: PresignedUploadRecord,
    expiresAtMs: number,
  ): Promise<void> {
    const write = put(partitionOf(stream), `grant/${upload.presignId}`, upload);
    await this.#store.write([{ ...write, expiresAtMs }]);
  }

  // Outcomes

  async findOutcome(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<SegmentOutcome | undefined> {
    return (await find<SegmentOutcome>(this.#store, partitionOf(stream), outcomeSort(run, number)))
      ?.value;
  }

  /** false if the segment has an outcome already; the first one recorded stands. */
  recordOutcome(stream: StreamIdentity, outcome: SegmentOutcome): Promise<boolean> {
    const sort = outcomeSort(outcome.run, outcome.number);
    return this.#store.write([put(partitionOf(stream), sort, outcome, 0)]);
  }

  outcomesFrom(
    stream: StreamIdentity,
    run: number,
    from: number,
    limit: number,
  ): Promise<SegmentOutcome[]> {
    return this.#list(
      partitionOf(stream),
      outcomeSort(run, from),
      `outcome/${run}/${HIGHEST}`,
      limit,
    );
  }

  // Timeline

  /** Empty, with version 0, before anything is published. Fields that an old record lacks have their defaults. */
  async timeline(stream: StreamIdentity): Promise<Versioned<TimelineState>> {
    const found = await find<TimelineState>(this.#store, partitionOf(stream), 'head');
    return { value: { ...EMPTY_TIMELINE, ...found?.value }, version: found?.version ?? 0 };
  }

  async nextHousekeeping(stream: StreamIdentity): Promise<Versioned<NextHousekeeping>> {
    const found = await find<NextHousekeeping>(this.#store, partitionOf(stream), 'housekeeping');
    return found ?? { value: { atMs: 0 }, version: 0 };
  }

  /** false if another process has marked it since it was read. */
  markNextHousekeeping(
    stream: StreamIdentity,
    next: NextHousekeeping,
    version: number,
  ): Promise<boolean> {
    return this.#store.write([put(partitionOf(stream), 'housekeeping', next, version)]);
  }

  /**
   * Writes the entries and the state that they lead to, all or nothing. false if the state is no
   * longer at `version`: another publisher was faster, so plan again from what it wrote.
   */
  appendEntries(
    stream: StreamIdentity,
    entries: readonly TimelineEntry[],
    state: TimelineState,
    version: number,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    return this.#store.write([
      ...entries.map((entry) => put(partition, timelineSort(entry.sequence), entry, 0)),
      put(partition, 'head', state, version),
    ]);
  }

  /** With sequences from `from` to `to`, both included; those that are not there yet are left out. */
  entries(
    stream: StreamIdentity,
    from: number,
    to: number,
    limit?: number,
  ): Promise<TimelineEntry[]> {
    return this.#list(partitionOf(stream), timelineSort(from), timelineSort(to), limit);
  }

  async entry(stream: StreamIdentity, sequence: number): Promise<TimelineEntry | undefined> {
    return (await find<TimelineEntry>(this.#store, partitionOf(stream), timelineSort(sequence)))
      ?.value;
  }

  /** false if it is recorded already, or if the state is no longer at `version`. */
  recordLateArrival(
    stream: StreamIdentity,
    late: LateArrival,
    state: TimelineState,
    version: number,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    return this.#store.write([
      put(partition, lateArrivalSort(late.run, late.number), late, 0),
      put(partition, 'head', { ...state, lateArrivals: state.lateArrivals + 1 }, version),
    ]);
  }

  findLateArrival(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<Versioned<LateArrival> | undefined> {
    return find<LateArrival>(this.#store, partitionOf(stream), lateArrivalSort(run, number));
  }

  lateArrivals(stream: StreamIdentity): Promise<LateArrival[]> {
    return this.#list(partitionOf(stream), lateArrivalSort(0, 0), `late/${HIGHEST}`);
  }

  /** What retention removes: of a stream there are a few at a time. */
  removals(stream: StreamIdentity): Promise<Removal[]> {
    return this.#list<Removal>(partitionOf(stream), removalSort(''), removalSort('~'));
  }

  async recordingPlaylists(stream: StreamIdentity): Promise<Versioned<RecordingPlaylists>> {
    const partition = partitionOf(stream);
    const found = await find<RecordingPlaylists>(this.#store, partition, 'recording-playlists');
    return found ?? { value: {}, version: 0 };
  }

  /** false if another process has written it since it was read; without `version` it is written anyway. */
  putRecordingPlaylists(
    stream: StreamIdentity,
    playlists: RecordingPlaylists,
    version?: number,
  ): Promise<boolean> {
    return this.#store.write([put(partitionOf(stream), 'recording-playlists', playlists, version)]);
  }

  async endRequest(stream: StreamIdentity): Promise<EndRequest | undefined> {
    return (await find<EndRequest>(this.#store, partitionOf(stream), 'end'))?.value;
  }

  /** `change` makes the new request of the one that is known; it is called again if another was first. */
  async changeEndRequest(
    stream: StreamIdentity,
    change: (known: EndRequest | undefined) => EndRequest,
  ): Promise<void> {
    const partition = partitionOf(stream);
    for (;;) {
      const known = await find<EndRequest>(this.#store, partition, 'end');
      const end = change(known?.value);
      if (await this.#store.write([put(partition, 'end', end, known?.version ?? 0)])) return;
    }
  }

  async #list<T>(partition: string, from: string, to: string, limit?: number): Promise<T[]> {
    const range = limit === undefined ? { from, to } : { from, to, limit };
    const items = await this.#store.query(partition, range);
    return items.map((item) => item.value as T);
  }
}
