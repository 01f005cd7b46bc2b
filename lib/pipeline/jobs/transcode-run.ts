/**
 * A source segment becomes a segment of every rendition. Stateless, and doing it twice
 * changes nothing: objects are named by their content, and the first recorded outcome stands.
 */

import { setTimeout } from 'node:timers/promises';
import { DomainError } from '../../domain/errors.ts';
import { planLadder } from '../../domain/ladder.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { renditionInitKey, renditionSegmentKey } from '../../domain/object-keys.ts';
import type { SegmentOutcome, SourceSegment } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { secondsToTicks, TICKS_PER_SECOND } from '../../domain/ticks.ts';
import type { EntryRendition } from '../../domain/timeline.ts';
import type { SegmentBytes } from '../../media/demux/demuxed-segment.ts';
import { type TranscodedSegment, transcodeSegment } from '../../media/transcode-segment.ts';
import type { WorkerDeps } from '../deps.ts';
import { digestOf } from '../digest.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import type { JobContext, JobResult, SegmentJob } from './job-kind.ts';

/** A duration hint of the encoder may differ from what the container shows by a frame or so. */
const MAX_DURATION_CORRECTION_TICKS = TICKS_PER_SECOND / 4;

/** How long after its upload a segment waits for its predecessor, whose audio pre-roll it needs. */
const PREDECESSOR_GRACE_MS = 2000;
const PREDECESSOR_POLL_MS = 50;

/** Throws when another try may help; a segment that can never be decoded is recorded as failed. */
export async function runTranscode(
  deps: WorkerDeps,
  job: SegmentJob,
  context: JobContext,
): Promise<JobResult> {
  const { records, clock } = deps;
  const [found, before] = await Promise.all([
    records.findStream(job.videoId),
    records.findOutcome(job, job.run, job.number),
  ]);
  const stream = found?.value;
  if (stream?.uid !== job.uid) return 'obsolete';
  const [run, segment] = await Promise.all([
    records.getRun(stream, job.run),
    records.findSegment(stream, job.run, job.number),
  ]);
  if (!run || !segment) return 'obsolete';
  let outcome: SegmentOutcome | undefined = before;
  if (!outcome) {
    try {
      const transcoded = await transcode(deps, stream, run, segment, context);
      outcome = await storeRenditions(deps, stream, segment, transcoded);
    } catch (error) {
      if (!(error instanceof DomainError) || error.isPassing) throw error;
      const { number } = segment;
      const reason = `${error.code}: ${error.message}`;
      outcome = { type: 'failed', run: run.run, number, reason, completedAtMs: clock.now() };
    }
    await records.recordOutcome(stream, outcome);
  }
  return outcome.type === 'rendered' ? 'done' : 'failed';
}

/**
 * The segment before, which may be on its way: encoders upload several at once. Waits here rather than
 * in the queue, so that a segment is one message whatever order they come in.
 */
async function findPredecessor(
  { records, clock }: WorkerDeps,
  stream: Stream,
  { firstNumber }: Run,
  { run, number, uploadedAtMs }: SourceSegment,
  signal: AbortSignal,
): Promise<SourceSegment | undefined> {
  if (number === 0) return undefined;
  const ageMs = Math.max(0, clock.now() - uploadedAtMs);
  const graceMs = number === firstNumber ? 0 : PREDECESSOR_GRACE_MS - ageMs;
  const deadlineMs = performance.now() + graceMs;
  for (;;) {
    const found = await records.findSegment(stream, run, number - 1);
    if (found || performance.now() >= deadlineMs) return found;
    await setTimeout(PREDECESSOR_POLL_MS, undefined, { signal });
  }
}

async function transcode(
  deps: WorkerDeps,
  stream: Stream,
  run: Run,
  segment: SourceSegment,
  { workFolder, threads, signal }: JobContext,
): Promise<TranscodedSegment> {
  const { records } = deps;
  const isOpen = segment.facts.video?.startsClosed === false;
  const [source, previous] = await Promise.all([
    loadSource(deps, segment),
    findPredecessor(deps, stream, run, segment, signal),
  ]);
  const picture = run.picture ?? segment.facts.video;
  // Frames that refer to the segment before are decoded with it.
  const previousSource = isOpen && previous ? await loadSource(deps, previous) : undefined;
  return transcodeSegment({
    segment: source.bytes,
    init: source.init,
    facts: segment.facts,
    timestampOffsetTicks: segment.timestampOffsetTicks,
    rungs: picture ? planLadder(stream.settings.ladder, picture) : [],
    audioAnchors: run.audio,
    previous: previous && { ...previous, source: previousSource },
    findEndTicks: () => findEndTicks(records, stream, segment),
    threads,
    workFolder,
    signal,
  });
}

async function loadSource(deps: WorkerDeps, segment: SourceSegment): Promise<SegmentBytes> {
  const [bytes, init] = await Promise.all([
    deps.media.get(segment.sourceKey),
    segment.initKey === undefined ? undefined : deps.media.get(segment.initKey),
  ]);
  if (!bytes)
    throw new Error(`The object of segment ${segment.number} is not there: ${segment.sourceKey}`);
  return { bytes, init };
}

/**
 * Start of the next segment, if it is known by now: MPEG-TS does not give the duration of the last
 * frame of a segment is shown, and for a variable frame rate no guess is exact.
 */
async function findEndTicks(
  records: StreamRecords,
  stream: Stream,
  segment: SourceSegment,
): Promise<number | undefined> {
  const { run, number, facts, timestampOffsetTicks } = segment;
  const [next, hintedSeconds] = await Promise.all([
    records.findSegment(stream, run, number + 1),
    records.durationHint(stream, run, number),
  ]);
  const startTicks = facts.startTicks + timestampOffsetTicks;
  const candidates = [
    ...(next ? [next.facts.startTicks + next.timestampOffsetTicks] : []),
    ...(hintedSeconds === undefined ? [] : [startTicks + secondsToTicks(hintedSeconds)]),
  ];
  return candidates.find(
    (ticks) =>
      Math.abs(ticks - facts.endTicks - timestampOffsetTicks) <= MAX_DURATION_CORRECTION_TICKS,
  );
}

async function storeRenditions(
  deps: WorkerDeps,
  stream: Stream,
  { run, number, uploadedAtMs }: SourceSegment,
  transcoded: TranscodedSegment,
): Promise<SegmentOutcome> {
  const made = Object.entries(transcoded.renditions);
  const stored = await Promise.all(
    made.map(async ([name, { init, media, info }]): Promise<[string, EntryRendition]> => {
      const { contentType } = MEDIA_FORMATS[info.kind === 'video' ? 'cmafVideo' : 'cmafAudio'];
      const key = renditionSegmentKey(stream, name, run, number, digestOf(media));
      const initKey = renditionInitKey(stream, name, digestOf(init));
      await Promise.all([
        deps.media.put(key, media, contentType),
        deps.media.put(initKey, init, contentType),
      ]);
      return [name, { key, initKey, sizeBytes: media.byteLength }];
    }),
  );
  const renditions = Object.fromEntries(stored);
  const catalogue = Object.fromEntries(made.map(([name, { info }]) => [name, info]));
  const { startTicks, durationTicks } = transcoded;
  const completedAtMs = deps.clock.now();
  return {
    type: 'rendered',
    run,
    number,
    startTicks,
    durationTicks,
    renditions,
    catalogue,
    uploadedAtMs,
    completedAtMs,
  };
}
