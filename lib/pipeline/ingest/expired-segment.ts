/** Refuses segments that are older than the recording is kept. */

import { isPlausibleTime } from '../../domain/encoder-clock.ts';
import { DomainError } from '../../domain/errors.ts';
import { isBelowFloor } from '../../domain/retention/kept.ts';
import { DAY_MS } from '../../domain/retention/retention.ts';
import type { Stream } from '../../domain/stream.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import type { Sequencing } from './sequencing.ts';

/** Throws `expired` for a segment that retention would remove at once, by its time or by its place. */
export async function requireUnexpired(
  records: StreamRecords,
  stream: Stream,
  { number, atMs }: Readonly<{ number: number; atMs?: number }>,
  place: Sequencing,
  nowMs: number,
): Promise<void> {
  const { retention } = stream.settings;
  if (!retention) return;
  const { days } = retention;
  const expiredMs = nowMs - days * DAY_MS;
  const isOld = atMs !== undefined && isPlausibleTime(atMs, nowMs) && atMs <= expiredMs;
  if (!isOld && !(await fillsRemoved(records, stream, number, place))) return;
  throw new DomainError(
    'expired',
    `Segment ${number} is of ${isOld ? new Date(atMs).toISOString() : 'a time'} that has expired: recordings of "${stream.videoId}" are kept for ${days} ${days === 1 ? 'day' : 'days'}.`,
    'Leave it out, or have recordings kept for longer (retention of the stream).',
  );
}

/** Of a segment that was missing; the next one of a run is never below the floor. */
async function fillsRemoved(
  records: StreamRecords,
  stream: Stream,
  number: number,
  place: Sequencing,
): Promise<boolean> {
  if (place.type !== 'join' || number > place.newest.number) return false;
  const { value: state } = await records.timeline(stream);
  return isBelowFloor(state, { run: place.run.run, number });
}
