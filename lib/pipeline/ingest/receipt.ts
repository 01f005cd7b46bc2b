/** The receipt of a segment: what is stored, what is missing, which number is expected next. */

import type { Receipt } from '../../api/messages.ts';
import { limitNotices, type Notice } from '../../domain/notice.ts';
import type { SourceSegment } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import type { IngestDeps } from '../deps.ts';

/** Of `missing`, and how far back a missing segment is still worth resending. */
const MAX_MISSING = 100;
const RECENT_NUMBERS = 256;

export async function receiptFor(
  deps: IngestDeps,
  stream: Stream,
  run: Run,
  segment: SourceSegment,
  /** Of this upload, beside those of the segment. */
  uploadNotices: readonly Notice[] = [],
): Promise<Receipt> {
  const { records } = deps;
  const numbers = await records.highestNumbers(stream, run.run, RECENT_NUMBERS);
  const next = (numbers.at(-1) ?? segment.number) + 1;
  const oldest =
    numbers.length < RECENT_NUMBERS ? Math.min(run.firstNumber, numbers[0] ?? 0) : numbers[0];
  const notices = limitNotices([...uploadNotices, ...(segment.facts.notices ?? [])]);
  return {
    stored: true,
    videoId: stream.videoId,
    session: run.session,
    segment: segment.number,
    digest: segment.digest,
    sizeBytes: segment.sizeBytes,
    durationMs: Math.round(ticksToMs(segment.facts.endTicks - segment.facts.startTicks)),
    missing: missingBetween(oldest ?? 0, numbers),
    next,
    serverTime: new Date(deps.clock.now()).toISOString(),
    ...(notices.length > 0 && { notices }),
  };
}

function missingBetween(from: number, numbers: readonly number[]): number[] {
  const missing: number[] = [];
  let expected = from;
  for (const number of numbers) {
    for (; expected < number && missing.length < MAX_MISSING; expected += 1) missing.push(expected);
    expected = number + 1;
  }
  return missing;
}
