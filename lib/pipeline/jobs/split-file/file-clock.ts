/** The wall clock of the runs of a whole file, which are cut faster or more slowly than they last. */

import type { Run, Stream } from '../../../domain/stream.ts';
import { ticksToMs, ticksToSeconds } from '../../../domain/ticks.ts';
import type { FileRun } from '../../../domain/uploaded-file.ts';
import { SHIFT_TICKS } from '../../../media/split/write-segment.ts';
import type { WorkerDeps } from '../../deps.ts';

/**
 * When the first segment of a new run begins: `follows` names the run of the same file that it goes on from
 * without a break. Another file begins now, but not before the end of what the stream has: markers are
 * placed by this clock. undefined: the stream has nothing yet.
 */
export async function startOfFileRun(
  { records, clock }: Pick<WorkerDeps, 'records' | 'clock'>,
  stream: Stream,
  lengthMs: number,
  follows: string | undefined,
): Promise<number | undefined> {
  const before = await records.newestRun(stream);
  const endMs = before && (await endOf({ records }, stream, before));
  if (endMs === undefined || before?.session === follows) return endMs;
  const { endProgramDateTimeMs } = (await records.timeline(stream)).value;
  return Math.max(endMs, endProgramDateTimeMs, clock.now() - lengthMs);
}

async function endOf(
  { records }: Pick<WorkerDeps, 'records'>,
  stream: Stream,
  { run, anchorMs, anchorTicks }: Run,
): Promise<number | undefined> {
  const newest = await records.newestSegment(stream, run);
  if (!newest) return undefined;
  const endTicks = newest.facts.endTicks + newest.timestampOffsetTicks;
  return anchorMs + ticksToMs(endTicks - anchorTicks);
}

/**
 * Of the file's clock: where the newest segment of a run ends. A step that died has recorded a segment, and
 * perhaps not that it had. undefined: the run has none.
 */
export async function endOfFileRun(
  { records }: Pick<WorkerDeps, 'records'>,
  stream: Stream,
  { session, fromSeconds }: FileRun,
): Promise<Readonly<{ number: number; seconds: number }> | undefined> {
  const run = await records.runOfSession(stream, session);
  const newest = run && (await records.newestSegment(stream, run.run));
  if (!newest) return undefined;
  const seconds = fromSeconds + ticksToSeconds(newest.facts.endTicks - SHIFT_TICKS);
  return { number: newest.number, seconds };
}
