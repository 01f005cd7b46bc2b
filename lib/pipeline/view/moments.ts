/** Moments of a stream as callers name them: seconds from its start, or instants of the wall clock. */

import { DomainError } from '../../domain/errors.ts';
import { shortened } from '../../domain/notice.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import { secondsToTicks, ticksToMs } from '../../domain/ticks.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { findByInstant, findByOffset } from '../records/timeline-search.ts';
import { expired } from './expired.ts';
import { asRecorded, recordedEntries } from './recorded-entries.ts';

/** From the start of the stream, or by the wall clock. */
export type Timestamp = Readonly<{ offsetTicks: number } | { instantMs: number }>;

/** Throws `bad_request`. */
export function parseTimestamp(text: string): Timestamp {
  if (/^-?\d+(\.\d+)?$/.test(text)) return { offsetTicks: secondsToTicks(Number(text)) };
  const instantMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(instantMs)) return { instantMs };
  throw new DomainError(
    'bad_request',
    `"${shortened(text)}" is not a valid timestamp.`,
    'Send seconds from the start (timestamp=12.5), or an instant (timestamp=2026-01-31T12:00:00Z).',
  );
}

/** How far into an entry a timestamp that it holds lies. Throws `bad_request`. */
export function positionIn(
  { offsetTicks, programDateTimeMs }: Pick<RecordedEntry, 'offsetTicks' | 'programDateTimeMs'>,
  timestamp: string,
): number {
  const at = parseTimestamp(timestamp);
  return 'instantMs' in at
    ? secondsToTicks((at.instantMs - programDateTimeMs) / 1000)
    : at.offsetTicks - offsetTicks;
}

/**
 * In the recording; without late segments that is the timeline, where a search reads a few entries. Throws
 * `expired` for what retention has removed.
 */
export async function entryAt(
  { records }: Pick<Deps, 'records'>,
  stream: Stream,
  state: TimelineState,
  at: Timestamp,
): Promise<RecordedEntry | undefined> {
  const entry = await findEntry(records, stream, state, at);
  if (entry || !state.kept) return entry;
  const isPast =
    'instantMs' in at
      ? at.instantMs < state.kept.floorMs && at.instantMs >= (state.startedAtMs ?? 0)
      : at.offsetTicks < state.kept.floorTicks;
  if (isPast) throw expired(stream, state.kept);
  return undefined;
}

async function findEntry(
  records: Deps['records'],
  stream: Stream,
  state: TimelineState,
  at: Timestamp,
): Promise<RecordedEntry | undefined> {
  const { nextSequence, lateArrivals, latePieces = 0 } = state;
  if (lateArrivals === latePieces) {
    const entry = await ('instantMs' in at
      ? findByInstant(records, stream, nextSequence, at.instantMs)
      : findByOffset(records, stream, nextSequence, at.offsetTicks));
    return (await asRecorded(records, stream, state, entry ? [entry] : []))[0];
  }
  for await (const entry of recordedEntries(records, stream, state)) {
    const [from, length, wanted] =
      'instantMs' in at
        ? [entry.programDateTimeMs, ticksToMs(entry.durationTicks), at.instantMs]
        : [entry.offsetTicks, entry.durationTicks, at.offsetTicks];
    if (wanted >= from && wanted < from + length) return entry;
  }
  return undefined;
}

/**
 * The wall clock at a moment, Unix time in milliseconds; behind the end as if the stream went on without a
 * pause. undefined before anything is published.
 */
export async function instantOf(
  deps: Pick<Deps, 'records'>,
  stream: Stream,
  state: TimelineState,
  at: Timestamp,
): Promise<number | undefined> {
  if ('instantMs' in at) return at.instantMs;
  if (state.nextSequence === 0) return undefined;
  const entry = await entryAt(deps, stream, state, at);
  if (entry) return entry.programDateTimeMs + ticksToMs(at.offsetTicks - entry.offsetTicks);
  return state.endProgramDateTimeMs + ticksToMs(at.offsetTicks - state.endOffsetTicks);
}
