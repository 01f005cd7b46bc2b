/**
 * Typed access to the records of streams. Partitions and sort keys are used here alone. Writes that
 * answer a boolean are conditional: false means that another process was first.
 */

import type { StreamIdentity } from '../../domain/object-keys.ts';
import type { SegmentOutcome, SourceSegment } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { EMPTY_TIMELINE, type TimelineEntry, type TimelineState } from '../../domain/timeline.ts';
import type { RecordStore, Write } from '../../ports/ports.ts';
import {
  CATALOGUE,
  digits,
  durationSort,
  HIGHEST,
  lateArrivalSort,
  numbersOf,
  outcomeSort,
  partitionOf,
  queuedSort,
  runSort,
  segmentSort,
  settingsOf,
  timelineSort,
} from './record-keys.ts';
import type {
  EndRequest,
  LateArrival,
  NextHousekeeping,
  PresignedUploadRecord,
  SourceInit,
  StartHint,
  Versioned,
} from './record-types.ts';

export class StreamRecords {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  // Streams

  findStream(videoId: string): Promise<Versioned<Stream> | undefined> {
    return this.#find<Stream>(settingsOf(videoId), 'stream');
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
  async removeRecords(stream: StreamIdentity): Promise<void> {
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
    return (await this.#find<Run>(partitionOf(stream), runSort(run)))?.value;
  }

  async runOfSession(stream: StreamIdentity, session: string): Promise<Run | undefined> {
    const pointer = await this.#find<{ run: number }>(partitionOf(stream), `session/${session}`);
    return pointer ? this.getRun(stream, pointer.value.run) : undefined;
  }

  async startHint(stream: StreamIdentity, run: number): Promise<StartHint | undefined> {
    return (await this.#find<StartHint>(partitionOf(stream), `announced/${run}`))?.value;
  }

  async hintStart(stream: StreamIdentity, run: number, startHint: StartHint): Promise<void> {
    await this.#store.write([put(partitionOf(stream), `announced/${run}`, startHint)]);
  }

  // Source segments

  async findSegment(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<SourceSegment | undefined> {
    return (await this.#find<SourceSegment>(partitionOf(stream), segmentSort(run, number)))?.value;
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

  /**
   * Acknowledges a segment; with it its run and the stream's settings when it is the first. A stream
   * of version 0 is created by it.
   */
  recordSegment(
    stream: StreamIdentity,
    segment: SourceSegment,
    first?: Readonly<{ run: Run; stream?: Versioned<Stream> }>,
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
        const { value, version } = first.stream;
        writes.push(put(settingsOf(stream.videoId), 'stream', value, version));
        if (version === 0) writes.push(put(CATALOGUE, value.videoId, { uid: value.uid }));
      }
    }
    return this.#store.write(writes);
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

  /** A segment's duration in seconds by the encoder's playlist: exact where the container is not. */
  async durationHint(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<number | undefined> {
    return (await this.#find<number>(partitionOf(stream), durationSort(run, number)))?.value;
  }

  async hintDurations(
    stream: StreamIdentity,
    run: number,
    durations: readonly Readonly<{ number: number; seconds: number }>[],
  ): Promise<void> {
    const partition = partitionOf(stream);
    await this.#store.write(
      durations.map(({ number, seconds }) => put(partition, durationSort(run, number), seconds)),
    );
  }

  /** When the job of a segment was queued again, and the mark's version; undefined: it was not. */
  queuedMark(
    stream: StreamIdentity,
    run: number,
    number: number,
  ): Promise<Versioned<number> | undefined> {
    return this.#find<number>(partitionOf(stream), queuedSort(run, number));
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

  async findSourceInit(stream: StreamIdentity, scope: string): Promise<SourceInit | undefined> {
    return (await this.#find<SourceInit>(partitionOf(stream), `init/${scope}`))?.value;
  }

  async putSourceInit(stream: StreamIdentity, scope: string, init: SourceInit): Promise<void> {
    await this.#store.write([put(partitionOf(stream), `init/${scope}`, init)]);
  }

  findPresigned(
    stream: StreamIdentity,
    presignId: string,
  ): Promise<Versioned<PresignedUploadRecord> | undefined> {
    return this.#find<PresignedUploadRecord>(partitionOf(stream), `grant/${presignId}`);
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
    return (await this.#find<SegmentOutcome>(partitionOf(stream), outcomeSort(run, number)))?.value;
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
    const found = await this.#find<TimelineState>(partitionOf(stream), 'head');
    return { value: { ...EMPTY_TIMELINE, ...found?.value }, version: found?.version ?? 0 };
  }

  async nextHousekeeping(stream: StreamIdentity): Promise<Versioned<NextHousekeeping>> {
    const found = await this.#find<NextHousekeeping>(partitionOf(stream), 'housekeeping');
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
    return (await this.#find<TimelineEntry>(partitionOf(stream), timelineSort(sequence)))?.value;
  }

  /** false if the gap has its late arrival already, or if the state is no longer at `version`. */
  recordLateArrival(
    stream: StreamIdentity,
    lateArrival: LateArrival,
    state: TimelineState,
    version: number,
  ): Promise<boolean> {
    const partition = partitionOf(stream);
    return this.#store.write([
      put(partition, lateArrivalSort(lateArrival.sequence), lateArrival, 0),
      put(partition, 'head', { ...state, lateArrivals: state.lateArrivals + 1 }, version),
    ]);
  }

  /** By sequence. */
  async lateArrivals(stream: StreamIdentity): Promise<ReadonlyMap<number, LateArrival>> {
    const all = await this.#list<LateArrival>(
      partitionOf(stream),
      lateArrivalSort(0),
      `lateArrivals/${HIGHEST}`,
    );
    return new Map(all.map((lateArrival) => [lateArrival.sequence, lateArrival]));
  }

  async findLateArrival(
    stream: StreamIdentity,
    sequence: number,
  ): Promise<LateArrival | undefined> {
    return (await this.#find<LateArrival>(partitionOf(stream), lateArrivalSort(sequence)))?.value;
  }

  async endRequest(stream: StreamIdentity): Promise<EndRequest | undefined> {
    return (await this.#find<EndRequest>(partitionOf(stream), 'end'))?.value;
  }

  async requestEnd(stream: StreamIdentity, end: EndRequest): Promise<void> {
    await this.#store.write([put(partitionOf(stream), 'end', end)]);
  }

  async #find<T>(partition: string, sort: string): Promise<Versioned<T> | undefined> {
    const item = await this.#store.get(partition, sort);
    return item && { value: item.value as T, version: item.version };
  }

  async #list<T>(partition: string, from: string, to: string, limit?: number): Promise<T[]> {
    const range = limit === undefined ? { from, to } : { from, to, limit };
    const items = await this.#store.query(partition, range);
    return items.map((item) => item.value as T);
  }
}

const put = (
  partition: string,
  sort: string,
  value: unknown,
  expect?: number,
): Extract<Write, { type: 'put' }> => ({
  type: 'put',
  partition,
  sort,
  value,
  ...(expect === undefined ? {} : { expect }),
});
