/**
 * The publisher: the only writer of a stream's timeline. Requests of one stream come one at a time
 * (a group of the publish queue); should two ever overlap, the version of the state lets one win.
 */

import { reportError } from '../../base/log.ts';
import { type Publication, planPublication } from '../../domain/publication.ts';
import type { SegmentOutcome } from '../../domain/segment.ts';
import {
  chooseTarget,
  dvrWindowTicks,
  holeGraceMs,
  type Run,
  type Stream,
  targetDurationSeconds,
} from '../../domain/stream.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import { isEndShown, type TimelineState, withDvrWindow } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { endGraceMs, endsWith } from '../ingest/end.ts';
import { ensureRecordingPlaylists } from '../jobs/recording-playlists-request.ts';
import type { PublishRequest } from '../message-schemas.ts';
import { sendDelayed } from '../messages.ts';
import type { Versioned } from '../records/record-types.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import { findFirstListed } from '../records/timeline-search.ts';
import { startHousekeeping } from '../upkeep/housekeeping.ts';
import { Languages, zeroOfRun } from './languages.ts';
import { isBehind, recordLateArrival } from './late-arrivals.ts';
import { silenceMaker, storeObjects, withSilenceBefore } from './silence.ts';
import { queueWebmAhead } from './webm-ahead.ts';

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
 * Appends all that can be appended now. Returns the segments that this call has listed, gaps left
 * out: no other publisher has listed them, and a repeated request finds nothing left to list.
 */
export async function publishStream(
  deps: Deps,
  request: PublishRequest,
): Promise<readonly ListedSegment[]> {
  const { records } = deps;
  const found = await records.findStream(request.videoId);
  if (found?.value.uid !== request.uid) return [];
  const stream = found.value;
  // What most requests do not need is loaded when one does: a cold start waits for the rest.
  if (request.markers) {
    const { publishMarkers } = await import('./publish-markers.ts');
    await publishMarkers(deps, stream, request.markers);
    return [];
  }
  if (request.removals) {
    const { publishRemovals } = await import('./publish-removals.ts');
    await ensureRecordingPlaylists(deps, stream, await publishRemovals(deps, stream));
    return [];
  }
  if (request.captions) {
    const { publishCaptions } = await import('./publish-captions.ts');
    await publishCaptions(deps, stream, request.captions);
    await ensureRecordingPlaylists(deps, stream, (await records.timeline(stream)).value);
    return [];
  }
  const listed: ListedSegment[] = [];
  let { completed } = request;
  let timeline = await currentTimeline(records, stream);
  for (;;) {
    if (completed?.track !== undefined) {
      const { recordLateLanguage } = await import('./late-languages.ts');
      await recordLateLanguage(deps, stream, { ...completed, track: completed.track });
      timeline = await currentTimeline(records, stream);
      completed = undefined;
    } else if (completed && isBehind(timeline.value, completed)) {
      await recordLateArrival(deps, stream, completed);
      timeline = await currentTimeline(records, stream);
      completed = undefined;
    }
    const step = await appendReady(deps, stream, timeline);
    if (step === 'raced') {
      // The other publisher may have passed the place of the segment.
      timeline = await currentTimeline(records, stream);
      continue;
    }
    completed = undefined;
    timeline = step.timeline;
    listed.push(...step.listed);
    if (step.again) continue;
    // One message for each segment, and none for those that others bring: they would multiply.
    const { track, number = -1 } = request.completed ?? {};
    const wakeAtMs = track === undefined ? step.heldUntilMs?.get(number) : undefined;
    if (wakeAtMs !== undefined) {
      const { videoId, uid } = stream;
      await sendDelayed(deps, { type: 'publish', videoId, uid }, wakeAtMs - deps.clock.now());
    }
    // With every request, as the process may end between the write of the end and this.
    await ensureRecordingPlaylists(deps, stream, timeline.value);
    return listed;
  }
}

/**
 * The timeline's state, with the DVR window of the owner's settings. What live playlists listed under
 * another window stays their floor: one search of the timeline and one write, when the setting changed.
 */
async function currentTimeline(
  records: StreamRecords,
  stream: Stream,
): Promise<Versioned<TimelineState>> {
  for (;;) {
    const timeline = await records.timeline(stream);
    const { value: before, version } = timeline;
    const targetSeconds = targetDurationSeconds(stream.settings, before);
    const windowTicks = dvrWindowTicks(stream.settings, targetSeconds);
    if (before.dvrWindowTicks === windowTicks) return timeline;
    const isFirst = before.dvrWindowTicks === undefined;
    const floor = isFirst ? 0 : await findFirstListed(records, stream, before);
    const value = withDvrWindow(before, windowTicks, floor, Boolean(stream.settings.retention));
    // The first window is written with the first entries.
    if (isFirst) return { value, version };
    const written = await records.appendEntries(stream, [], value, version);
    if (written) return { value, version: version + 1 };
  }
}

type Step = Readonly<{
  timeline: Versioned<TimelineState>;
  listed: readonly ListedSegment[];
  /** More may be ready. */
  again: boolean;
  /** Until when segments that are ready wait for a language, by their numbers. */
  heldUntilMs?: ReadonlyMap<number, number> | undefined;
}>;

async function appendReady(
  deps: Deps,
  stream: Stream,
  timeline: Versioned<TimelineState>,
): Promise<Step | 'raced'> {
  const { records } = deps;
  const { videoId, uid } = stream;
  const before = timeline.value;
  const [run, newestRun] = await Promise.all([
    records.getRun(stream, Math.max(1, before.run)),
    records.newestRun(stream),
  ]);
  if (!run || !newestRun) return { timeline, listed: [], again: false };
  const plan = await planRun(deps, stream, before, run, newestRun.run > run.run);
  const { entries, objects, again } = plan;
  await storeObjects(deps, objects);
  // Only when all is listed that is ready: what is left then decides whether the end is reached.
  const ended = again ? undefined : await endIfRequested(deps, stream, plan.state, newestRun);
  const listedAtMs = deps.clock.now();
  const next = {
    ...(await withSilenceBefore(deps, stream, run, before, ended ?? plan.state, entries)),
    ...hopsOf(plan, listedAtMs),
  };
  let written = timeline;
  if (entries.length > 0 || plan.runIsDone || ended) {
    if (!(await records.appendEntries(stream, entries, next, timeline.version))) return 'raced';
    written = { value: next, version: timeline.version + 1 };
    await queueWebmAhead(deps, stream, before, next).catch((error) =>
      reportError(error, 'queueing WebM files'),
    );
  }
  if (before.endedAtMs !== undefined && next.endedAtMs === undefined) {
    await startHousekeeping(deps, stream);
  }
  if (plan.wakeAtMs !== undefined) {
    await sendDelayed(deps, { type: 'publish', videoId, uid }, plan.wakeAtMs - listedAtMs);
  }
  const listed = plan.shown.map(({ run, number, uploadedAtMs }) => ({
    run,
    number,
    uploadedAtMs,
    listedAtMs,
  }));
  return { timeline: written, listed, again, heldUntilMs: plan.heldUntilMs };
}

/** Of the newest segment that is listed now. */
function hopsOf(
  { shown, state }: Publication,
  listedAtMs: number,
): Pick<TimelineState, 'newestHops'> {
  const newest = shown.at(-1);
  if (!newest) return {};
  const { uploadedAtMs, startedAtMs, completedAtMs: transcodedAtMs } = newest;
  const recordedAtMs = state.endProgramDateTimeMs;
  return {
    newestHops: { recordedAtMs, uploadedAtMs, startedAtMs, transcodedAtMs, listedAtMs },
  };
}

/** `again`: more may be ready than this plan appends. */
async function planRun(
  deps: Deps,
  stream: Stream,
  state: TimelineState,
  run: Run,
  isOver: boolean,
): Promise<Publication & Readonly<{ again: boolean } & Pick<Step, 'heldUntilMs'>>> {
  const { records } = deps;
  const from = state.run === run.run ? (state.nextNumber ?? 0) : 0;
  const [outcomes, startHint, nextRunReadyAtMs] = await Promise.all([
    readOutcomes(records, stream, run.run, from),
    state.nextNumber === undefined ? records.startHint(stream, run.run) : undefined,
    isOver ? readyAtMs(records, stream, run.run + 1) : undefined,
  ]);
  // As far as the outcomes at least: what lies between them without an outcome must be seen.
  const known = await records.numbersFrom(stream, run.run, from, outcomes.length + READ_AHEAD);
  const targetSeconds = await targetFor(records, stream, state, run, known);
  const languages = stream.languages && new Languages(deps, stream);
  const hasBegun = state.run === run.run && state.nextNumber !== undefined;
  const zeroMs = hasBegun ? state.zeroProgramDateTimeMs : zeroOfRun(run, outcomes);
  // Once the next run has begun, what waits too long is passed over.
  const held = isOver ? undefined : await languages?.holdBack(outcomes, zeroMs, targetSeconds);
  const segments = planPublication(
    languages?.without(state) ?? state,
    {
      run: run.run,
      firstNumber: run.firstNumber,
      ...(startHint?.firstNumber === undefined ? {} : { startHint: startHint.firstNumber }),
      createdAtMs: run.createdAtMs,
      anchorTicks: run.anchorTicks,
      anchorMs: run.anchorMs,
      known,
      outcomes: held?.outcomes ?? outcomes,
      isOver,
      ...(nextRunReadyAtMs === undefined ? {} : { nextRunReadyAtMs }),
    },
    {
      holeGraceMs: holeGraceMs(stream.settings, targetSeconds),
      targetDurationSeconds: targetSeconds,
    },
    deps.clock.now(),
    silenceMaker(stream, run),
  );
  const plan = (await languages?.addTo(segments, state, targetSeconds)) ?? segments;
  const again =
    plan.isFull || plan.runIsDone || (plan.entries.length > 0 && outcomes.length >= READ_AHEAD);
  return { ...plan, again, heldUntilMs: held?.untilMs };
}

/** Since when a segment of a run can be shown; undefined if none can. */
async function readyAtMs(
  records: StreamRecords,
  stream: Stream,
  run: number,
): Promise<number | undefined> {
  const outcomes = await readOutcomes(records, stream, run, 0);
  return outcomes.find(({ type }) => type === 'rendered')?.completedAtMs;
}

/**
 * The target duration, which the first entries fix. All segments that are acknowledged by then count:
 * the job of a later one finds it fixed, and cuts what is longer.
 */
async function targetFor(
  records: StreamRecords,
  stream: Stream,
  state: TimelineState,
  run: Run,
  known: readonly number[],
): Promise<number> {
  const set = state.targetDurationSeconds ?? stream.settings.targetDurationSeconds;
  if (set !== undefined) return set;
  const [hint, ...segments] = await Promise.all([
    records.startHint(stream, run.run),
    ...known.slice(0, READ_AHEAD).map((number) => records.findSegment(stream, run.run, number)),
  ]);
  const longestTicks = segments.reduce((longest, segment) => {
    const { startTicks = 0, endTicks = 0 } = segment?.facts ?? {};
    return Math.max(longest, endTicks - startTicks);
  }, 0);
  return chooseTarget(ticksToSeconds(longestTicks), hint?.targetDurationSeconds);
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

/** The state of an ended stream; undefined unless the end was requested and nothing is left to publish. */
async function endIfRequested(
  { records, clock }: Deps,
  stream: Stream,
  state: TimelineState,
  newestRun: Run,
): Promise<TimelineState | undefined> {
  if (state.run !== newestRun.run) return undefined;
  const [end, newest] = await Promise.all([
    records.endRequest(stream),
    records.newestSegment(stream, newestRun.run),
  ]);
  if (!end || !newest || !endsWith(end, newestRun, newest)) return undefined;
  const endShownAtMs = end.requestedAtMs + endGraceMs(end, stream.settings, newest);
  if (state.endedAtMs !== undefined) {
    // Ended by the encoder's playlist first, and then by a call as well.
    const isSooner = endShownAtMs < (state.endShownAtMs ?? 0) && !isEndShown(state, clock.now());
    return isSooner ? { ...state, endShownAtMs } : undefined;
  }
  const from = state.nextNumber ?? 0;
  const outcomes = await readOutcomes(records, stream, newest.run, from);
  const known = await records.numbersFrom(stream, newest.run, from, outcomes.length + READ_AHEAD);
  // What failed at the very end has nothing behind it to wait for.
  const failed = new Set(outcomes.filter(isFailed).map((outcome) => outcome.number));
  if (known.some((number) => !failed.has(number))) return undefined;
  return { ...state, endedAtMs: end.requestedAtMs, endShownAtMs };
}

const isFailed = (outcome: SegmentOutcome): boolean => outcome.type === 'failed';
