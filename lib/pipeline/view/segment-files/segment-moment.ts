/** The segment of a stream that holds a moment, with those right beside it. */

import { DomainError } from '../../../domain/errors.ts';
import { shortened } from '../../../domain/notice.ts';
import type { RecordedEntry } from '../../../domain/recording.ts';
import type { Stream } from '../../../domain/stream.ts';
import { ticksToSeconds } from '../../../domain/ticks.ts';
import { isGap, MAX_TIME_JUMP_TICKS, type TimelineState } from '../../../domain/timeline.ts';
import { getStream } from '../../auth.ts';
import type { Deps } from '../../deps.ts';
import { expired } from '../expired.ts';
import { entryAt, parseTimestamp } from '../moments.ts';
import { recordedEntries, recordedRange } from '../recorded-entries.ts';

export type Moment = Readonly<{
  stream: Stream;
  state: TimelineState;
  entry: RecordedEntry;
  /** Those that abut it, with media. */
  before?: RecordedEntry | undefined;
  after?: RecordedEntry | undefined;
}>;

/**
 * The segment at a timestamp: seconds from the start of the stream, or an ISO 8601 instant; left out:
 * the newest. Throws `stream_not_found`, `bad_request`, `expired` or `moment_not_found`, also for a gap.
 */
export async function findMoment(
  deps: Deps,
  videoId: string,
  timestamp: string | undefined,
): Promise<Moment> {
  const { records } = deps;
  const { value: stream } = await getStream(deps, videoId);
  const at = timestamp === undefined ? undefined : parseTimestamp(timestamp);
  const { value: state } = await records.timeline(stream);
  const entry = at
    ? await entryAt(deps, stream, state, at)
    : await newestEntry(records, stream, state);
  if (!entry) {
    if (!at && state.kept) throw expired(stream, state.kept);
    throw new DomainError(
      'moment_not_found',
      `Stream "${videoId}" has nothing at ${shortened(timestamp ?? 'its end')}.`,
      state.nextSequence === 0 ? 'It has not started.' : rangeOf(state),
    );
  }
  if (isGap(entry)) throw inGap(entry, state);
  return { stream, state, entry, ...(await neighboursOf(deps, stream, state, entry)) };
}

async function newestEntry(
  records: Deps['records'],
  stream: Stream,
  state: TimelineState,
): Promise<RecordedEntry | undefined> {
  const { nextSequence, kept } = state;
  if (kept !== undefined && kept.floorSequence >= nextSequence) return undefined;
  return (await recordedRange(records, stream, state, nextSequence - 1, nextSequence - 1))[0];
}

const seconds = (ticks: number): string => ticksToSeconds(ticks).toFixed(3);
const instant = (ms: number): string => new Date(ms).toISOString();

const rangeOf = ({ endOffsetTicks, startedAtMs = 0, endProgramDateTimeMs }: TimelineState) =>
  `It has 0 to ${seconds(endOffsetTicks)} s, from ${instant(startedAtMs)} to ${instant(endProgramDateTimeMs)}.`;

function inGap({ number, offsetTicks, durationTicks }: RecordedEntry, state: TimelineState) {
  const [from, to] = [offsetTicks, offsetTicks + durationTicks].map(seconds);
  return new DomainError(
    'moment_not_found',
    `There is a gap from ${from} to ${to} s: segment ${number} never came.`,
    `Ask for a moment before or after it. ${rangeOf(state)}`,
  );
}

async function neighboursOf(
  { records }: Deps,
  stream: Stream,
  state: TimelineState,
  entry: RecordedEntry,
): Promise<Pick<Moment, 'before' | 'after'>> {
  const { sequence } = entry;
  const { lateArrivals, latePieces = 0 } = state;
  let around: readonly RecordedEntry[] = [];
  if (lateArrivals === latePieces && sequence !== undefined) {
    around = await recordedRange(records, stream, state, sequence - 1, sequence + 1);
  } else {
    // Late arrivals have no sequence by which they could be found.
    let isNext = false;
    for await (const one of recordedEntries(records, stream, state)) {
      around = [...around, one].slice(-3);
      if (isNext) break;
      isNext = isSame(one, entry);
    }
  }
  const index = around.findIndex((one) => isSame(one, entry));
  return withNeighbours(entry, around[index - 1], around[index + 1]);
}

/** Those of the entries right before and behind it that it abuts. */
export const withNeighbours = (
  entry: RecordedEntry,
  before: RecordedEntry | undefined,
  after: RecordedEntry | undefined,
): Pick<Moment, 'before' | 'after'> => ({
  before: before && abut(before, entry) ? before : undefined,
  after: after && abut(entry, after) ? after : undefined,
});

const isSame = (a: RecordedEntry, b: RecordedEntry): boolean => a.offsetTicks === b.offsetTicks;

const abut = (first: RecordedEntry, second: RecordedEntry): boolean =>
  !isGap(first) &&
  !isGap(second) &&
  !second.discontinuity &&
  Math.abs(first.startTicks + first.durationTicks - second.startTicks) <= MAX_TIME_JUMP_TICKS;
