/**
 * The publisher: the only writer of a stream's timeline. Requests of one stream come one at a time
 * (a group of the publish queue); should two ever overlap, the head's version lets one of them win.
 */

import { planPublication, type TimelineHead } from '../../domain/publication.ts';
import type { SegmentOutcome } from '../../domain/segment.ts';
import { holeGraceMs, type Run, type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import { endsWith } from '../ingest/end.ts';
import type { PublishRequest } from '../message-schemas.ts';
import { sendDelayed } from '../messages.ts';
import type { StreamRecords, Versioned } from '../records/stream-records.ts';
import { findGap } from '../records/timeline-search.ts';
import { startHousekeeping } from '../upkeep/housekeeping.ts';

/** Numbers and outcomes read at once; more than one write of entries takes. */
const READ_AHEAD = 100;

/** A segment that viewers find in the playlists from now on. */
export type ListedSegment = Readonly<{
  run: number;
  number: number;
  uploadedAtMs: number;
  listedAtMs: number;
}>;

/**
 * What this call has listed: whoever else publishes the stream has listed none of it, and a request
 * that is repeated finds nothing left. Gaps are not told.
 */
export async function publishStream(
  deps: Deps,
  request: PublishRequest,
): Promise<readonly ListedSegment[]> {
  const { records } = deps;
  const found = await records.findStream(request.videoId);
  if (found?.value.uid !== request.uid) return [];
  const stream = found.value;
  const listed: ListedSegment[] = [];
  let head = await records.head(stream);
  if (request.completed && isBehind(head.value, request.completed)) {
    head = await recordLateArrival(deps, stream, head, request.completed);
  }
  for (;;) {
    const step = await appendReady(deps, stream, head);
    if (step === 'raced') {
      head = await records.head(stream);
      continue;
    }
    head = step.head;
    listed.push(...step.listed);
    if (step.wakeAtMs !== undefined) {
      const delayMs = step.wakeAtMs - deps.clock.now();
      await sendDelayed(
        deps,
        { type: 'publish', videoId: stream.videoId, uid: stream.uid },
        delayMs,
      );
    }
    if (!step.again) return listed;
  }
}

type Step = Readonly<{
  head: Versioned<TimelineHead>;
  listed: readonly ListedSegment[];
  again: boolean;
  wakeAtMs?: number;
}>;

async function appendReady(
  deps: Deps,
  stream: Stream,
  head: Versioned<TimelineHead>,
): Promise<Step | 'raced'> {
  const { records } = deps;
  const [run, newestRun] = await Promise.all([
    records.getRun(stream, Math.max(1, head.value.run)),
    records.newestRun(stream),
  ]);
  if (!run || !newestRun) return { head, listed: [], again: false };
  const plan = await planRun(deps, stream, head.value, run, newestRun.run > run.run);
  let { entries, head: next } = plan;
  const runIsDone = plan.runIsDone;
  if (runIsDone) next = { ...next, run: run.run + 1 };
  if (runIsDone) delete (next as { nextNumber?: number }).nextNumber;
  if (entries.length === 0 && !runIsDone) {
    const ended = await endIfSaid(records, stream, next, newestRun);
    if (ended === undefined) {
      const wake = plan.wakeAtMs ? { wakeAtMs: plan.wakeAtMs } : {};
      return { head, listed: [], again: false, ...wake };
    }
    next = ended;
  }
  const reopens = entries.length > 0 && next.endedAtMs !== undefined;
  if (reopens) {
    const { endedAtMs: _, ...open } = next;
    next = open;
  }
  const written = await records.appendEntries(stream, entries, next, head.version);
  if (!written) return 'raced';
  const listedAtMs = deps.clock.now();
  if (reopens) {
    await startHousekeeping(deps, stream);
  }
  const again = runIsDone || entries.length > 0;
  return {
    head: { value: next, version: head.version + 1 },
    listed: plan.shown.map(({ run, number, uploadedAtMs }) => ({
      run,
      number,
      uploadedAtMs,
      listedAtMs,
    })),
    again,
    ...(plan.wakeAtMs ? { wakeAtMs: plan.wakeAtMs } : {}),
  };
}

async function planRun(
  deps: Deps,
  stream: Stream,
  head: TimelineHead,
  run: Run,
  isOver: boolean,
): Promise<ReturnType<typeof planPublication>> {
  const { records } = deps;
  const from = head.run === run.run ? (head.nextNumber ?? 0) : 0;
  const [outcomes, announced] = await Promise.all([
    readOutcomes(records, stream, run.run, from),
    head.nextNumber === undefined ? records.startHint(stream, run.run) : undefined,
  ]);
  // As far as the outcomes at least: what lies between them and is not settled must be seen.
  const known = await records.numbersFrom(stream, run.run, from, outcomes.length + READ_AHEAD);
  return planPublication(
    head,
    {
      run: run.run,
      firstNumber: run.firstNumber,
      ...(announced ? { startHint: announced.firstNumber } : {}),
      createdAtMs: run.createdAtMs,
      anchorTicks: run.anchorTicks,
      anchorMs: run.anchorMs,
      known,
      outcomes,
      isOver,
    },
    {
      holeGraceMs: holeGraceMs(stream.settings),
      targetDurationSeconds: targetDurationSeconds(stream.settings),
    },
    deps.clock.now(),
  );
}

/** Up to the first segment that can be shown, however many failed before it. */
async function readOutcomes(
  records: StreamRecords,
  stream: Stream,
  run: number,
  from: number,
): Promise<SegmentOutcome[]> {
  const outcomes = await records.outcomesFrom(stream, run, from, READ_AHEAD);
  for (let page = outcomes; page.length === READ_AHEAD && outcomes.every(isFailed); ) {
    const next = (page.at(-1)?.number ?? from) + 1;
    page = await records.outcomesFrom(stream, run, next, READ_AHEAD);
    outcomes.push(...page);
  }
  return outcomes;
}

/** The head of an ended stream, when the end was asked for and all that came before it is settled. */
async function endIfSaid(
  records: StreamRecords,
  stream: Stream,
  head: TimelineHead,
  newestRun: Run,
): Promise<TimelineHead | undefined> {
  if (head.endedAtMs !== undefined || head.run !== newestRun.run) return undefined;
  const [end, newest] = await Promise.all([
    records.endRequest(stream),
    records.newestSegment(stream, newestRun.run),
  ]);
  if (!end || !newest || !endsWith(end, newestRun, newest)) return undefined;
  const from = head.nextNumber ?? 0;
  const outcomes = await readOutcomes(records, stream, newest.run, from);
  const known = await records.numbersFrom(stream, newest.run, from, outcomes.length + READ_AHEAD);
  // What failed at the very end has nothing behind it to wait for.
  const failed = new Set(outcomes.filter(isFailed).map((outcome) => outcome.number));
  if (known.some((number) => !failed.has(number))) return undefined;
  return { ...head, endedAtMs: end.requestedAtMs };
}

const isFailed = (outcome: SegmentOutcome): boolean => outcome.type === 'failed';

const isBehind = (head: TimelineHead, { run, number }: { run: number; number: number }): boolean =>
  run < head.run || (run === head.run && head.nextNumber !== undefined && number < head.nextNumber);

/** A segment that came after its gap was published: the live playlists keep the gap, the recording does not. */
async function recordLateArrival(
  deps: Deps,
  stream: Stream,
  head: Versioned<TimelineHead>,
  settled: Readonly<{ run: number; number: number }>,
): Promise<Versioned<TimelineHead>> {
  const { records } = deps;
  const outcome = await records.findOutcome(stream, settled.run, settled.number);
  if (outcome?.type !== 'rendered') return head;
  const gap = await findGap(records, stream, head.value.nextSequence, settled);
  if (!gap) return head;
  const lateArrivals = { sequence: gap.sequence, renditions: outcome.renditions };
  await records.recordLateArrival(stream, lateArrivals, head.value, head.version);
  return records.head(stream);
}
