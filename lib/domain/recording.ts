/**
 * The recording of a stream: all its outcomes, in order, each with its own duration and time. The live
 * timeline cannot change what it once listed, so a segment that came too late for it is a gap there or
 * is passed over; in the recording it has its place. Pure.
 */

import { audioEndsOf, audioGapsOf } from './audio-gaps.ts';
import { keptEntries } from './retention/kept.ts';
import { isBeforePlace } from './retention/retention.ts';
import type { RenderedPiece } from './segment.ts';
import { ticksToMs } from './ticks.ts';
import {
  type EntryRendition,
  gapEntries,
  isGap,
  MAX_TIME_JUMP_TICKS,
  type TimelineEntry,
  type TimelineState,
} from './timeline.ts';

/** Playlists with more entries have 2.8 MB and more. */
const LONG_ENTRIES = 20_000;

/** Whether the playlists of a recording are too long to be made while a viewer waits: workers make them. */
export const isLongRecording = (
  state: Pick<TimelineState, 'nextSequence' | 'lateArrivals' | 'kept'>,
  longEntries = LONG_ENTRIES,
): boolean => keptEntries(state) + state.lateArrivals > longEntries;

/** A segment whose outcome came when the live timeline had passed its place. */
export type LateArrival = Readonly<
  Pick<
    TimelineEntry,
    | 'run'
    | 'number'
    | 'startTicks'
    | 'durationTicks'
    | 'programDateTimeMs'
    | 'renditions'
    | 'audioGaps'
    | 'thumbnails'
  >
> &
  Readonly<{
    pieces?: readonly RenderedPiece[];
    /** Pieces of languages that others took the place of: players may still load them. */
    replaced?: readonly EntryRendition[];
  }>;

export type RecordedEntry = Omit<LateArrival, 'pieces' | 'replaced'> &
  Readonly<{
    /** Of the live timeline; undefined for a late arrival. */
    sequence?: number | undefined;
    /** From the start of the stream, as if nothing of the recording had been removed. */
    offsetTicks: number;
    discontinuity: boolean;
    /** Of the live timeline; of what came late: those of the entry before it. */
    discontinuities: number;
  }>;

type NewEntry = Omit<RecordedEntry, 'offsetTicks' | 'discontinuities'> &
  Readonly<{ discontinuities?: number }>;

/** The pieces of one that was cut, each as an arrival of its own. */
export const separate = (late: LateArrival): readonly LateArrival[] =>
  late.pieces?.map((piece) => ({
    ...{ run: late.run, number: late.number },
    ...piece,
    programDateTimeMs: late.programDateTimeMs + ticksToMs(piece.startTicks - late.startTicks),
  })) ?? [late];

/** Takes the entries of a timeline in their order and gives those of the recording. */
export class RecordingBuilder {
  /** In order of run and number. */
  readonly #late: readonly LateArrival[];
  readonly #targetTicks: number;
  #nextLate = 0;
  #gaps: TimelineEntry[] = [];
  #last: RecordedEntry | undefined;
  /** By rendition, of its newest piece. */
  readonly #initKeys = new Map<string, string>();
  /** The entry of the timeline that is expected next, and where it would begin there. */
  #next = { sequence: 0, offsetTicks: 0 };
  /** Something was removed before the entry that is appended next, which would begin there. */
  #holeTicks: number | undefined;

  constructor(late: readonly LateArrival[], targetTicks: number) {
    this.#late = late.toSorted((a, b) => a.run - b.run || a.number - b.number).flatMap(separate);
    this.#targetTicks = targetTicks;
  }

  /** What the recording has from the entry before up to and including this one. */
  add(entry: TimelineEntry): RecordedEntry[] {
    // What came late before the hole ends what was kept there.
    const before = entry.sequence > this.#next.sequence ? this.#endBefore(entry) : [];
    this.#next = {
      sequence: entry.sequence + 1,
      offsetTicks: entry.offsetTicks + entry.durationTicks,
    };
    return [...before, ...this.#add(entry)];
  }

  #add(entry: TimelineEntry): RecordedEntry[] {
    if (isGap(entry)) {
      this.#gaps.push(entry);
      return [];
    }
    const late = this.#takeLate((one) => isBeforePlace(one, entry));
    const gaps = this.#takeGaps();
    // Where nothing came late the recording is what was published.
    if (late.length === 0) return [...gaps, entry].map((one) => this.#append(one));
    return [...late, entry].flatMap((one) => this.#fit(one));
  }

  /** What came late behind the last entry. A gap there has nothing behind it. */
  end(): RecordedEntry[] {
    this.#takeGaps();
    return this.#takeLate(() => true).flatMap((one) => this.#fit(one));
  }

  /** Retention has removed what was before an entry. */
  #endBefore({ run, number, offsetTicks }: TimelineEntry): RecordedEntry[] {
    this.#takeGaps();
    const { sequence } = this.#next;
    const late = sequence === 0 ? [] : this.#takeLate((one) => isBeforePlace(one, { run, number }));
    const ended = late.flatMap((one) => this.#fit(one));
    const last = this.#last;
    // What came late has made the recording longer than the timeline.
    const longerTicks = last ? last.offsetTicks + last.durationTicks - this.#next.offsetTicks : 0;
    this.#holeTicks = offsetTicks + longerTicks;
    return ended;
  }

  #takeLate(belongs: (late: LateArrival) => boolean): readonly LateArrival[] {
    const from = this.#nextLate;
    for (let late = this.#late[from]; late && belongs(late); late = this.#late[this.#nextLate]) {
      this.#nextLate += 1;
    }
    return this.#late.slice(from, this.#nextLate);
  }

  #takeGaps(): readonly TimelineEntry[] {
    const gaps = this.#gaps;
    this.#gaps = [];
    return gaps;
  }

  /** A segment by the source's clock: behind a gap for what is missing before it, or behind a discontinuity. */
  #fit(segment: LateArrival): RecordedEntry[] {
    const last = this.#last;
    const isApart = last === undefined || this.#holeTicks !== undefined;
    if (isApart) return [this.#append({ ...segment, discontinuity: true })];
    const missing = segment.startTicks - last.startTicks - last.durationTicks;
    const numbers = segment.number - last.number - 1;
    const continues = last.run === segment.run && Math.abs(missing) <= MAX_TIME_JUMP_TICKS;
    const count =
      continues || last.run !== segment.run || missing <= 0
        ? undefined
        : gapEntries(missing, numbers, this.#targetTicks);
    const gaps = count === undefined ? [] : this.#gapsBetween(last, segment, count);
    const discontinuity = (!continues && count === undefined) || this.#hasOtherInit(segment);
    return [...gaps, this.#append({ ...segment, discontinuity })];
  }

  #gapsBetween(last: RecordedEntry, next: LateArrival, count: number): RecordedEntry[] {
    const missingTicks = next.startTicks - last.startTicks - last.durationTicks;
    const endsBefore = audioEndsOf(last.renditions);
    const firstTicks = last.startTicks + last.durationTicks;
    const edge = (index: number): number => firstTicks + Math.round((missingTicks * index) / count);
    return Array.from({ length: count }, (_, index) => {
      const span = { startTicks: edge(index), durationTicks: edge(index + 1) - edge(index) };
      const place = { isFirst: index === 0, isLast: index === count - 1 };
      const audioGaps = audioGapsOf({ ...span, ...place }, endsBefore, next.renditions);
      return this.#append({
        ...{ run: last.run, number: last.number + 1, ...span },
        programDateTimeMs: last.programDateTimeMs + ticksToMs(edge(index) - last.startTicks),
        discontinuity: false,
        renditions: {},
        ...(audioGaps && { audioGaps }),
      });
    });
  }

  #append(entry: NewEntry): RecordedEntry {
    const last = this.#last;
    const endMs = last ? last.programDateTimeMs + ticksToMs(last.durationTicks) : 0;
    const { run, number, sequence, startTicks, durationTicks, renditions } = entry;
    const { audioGaps, thumbnails } = entry;
    this.#last = {
      ...{ run, number, sequence, startTicks, durationTicks, renditions },
      ...(audioGaps && { audioGaps }),
      ...(thumbnails && { thumbnails }),
      // The wall clock of a recording never goes back.
      programDateTimeMs: Math.max(entry.programDateTimeMs, endMs - 1),
      offsetTicks: this.#holeTicks ?? (last ? last.offsetTicks + last.durationTicks : 0),
      discontinuity: last !== undefined && (entry.discontinuity || this.#holeTicks !== undefined),
      discontinuities: entry.discontinuities ?? last?.discontinuities ?? 0,
    };
    for (const [name, { initKey }] of Object.entries(renditions)) {
      this.#initKeys.set(name, initKey);
    }
    this.#holeTicks = undefined;
    return this.#last;
  }

  /** Another init segment needs EXT-X-MAP, and players that keep their decoder a discontinuity. */
  #hasOtherInit({ renditions }: LateArrival): boolean {
    return Object.entries(renditions).some(([name, { initKey }]) => {
      const last = this.#initKeys.get(name);
      return last !== undefined && last !== initKey;
    });
  }
}
