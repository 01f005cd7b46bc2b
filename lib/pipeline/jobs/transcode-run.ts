/**
 * A source segment becomes a segment of every rendition. Stateless, and doing it twice
 * changes nothing: objects are named by their content, and the first recorded outcome stands.
 */

import { setTimeout } from 'node:timers/promises';
import { defined } from '../../base/defined.ts';
import { reportError } from '../../base/log.ts';
import { DomainError } from '../../domain/errors.ts';
import { pictureForSegment, planLadder } from '../../domain/ladder.ts';
import { withTrack } from '../../domain/languages/language-track.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import {
  posterKey,
  renditionInitKey,
  renditionSegmentKey,
  thumbnailsKey,
} from '../../domain/object-keys.ts';
import { hasPoster, JPEG_CONTENT_TYPE } from '../../domain/pictures/poster.ts';
import type { Thumbnails } from '../../domain/pictures/thumbnails.ts';
import type {
  RenderedOutcome,
  RenderedPiece,
  SegmentOutcome,
  SourceSegment,
} from '../../domain/segment.ts';
import { mayGoOnInNext, segmentEnd } from '../../domain/segment-end.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import type { EntryRendition, RenditionInfo } from '../../domain/timeline.ts';
import { COMPOSED_CODEC } from '../../media/audio/rendition-format.ts';
import { channelsIn } from '../../media/captions/closed-captions.ts';
import type { SegmentBytes } from '../../media/demux/demuxed-segment.ts';
import type { RenditionSegment } from '../../media/mux/cmaf.ts';
import {
  needsPrevious,
  type TranscodedSegment,
  transcodeSegment,
} from '../../media/transcode-segment.ts';
import type { ThumbnailSprite } from '../../media/video/video-renditions.ts';
import type { WorkerDeps } from '../deps.ts';
import { digestOf } from '../digest.ts';
import { putClosedCaptions } from '../records/closed-caption-records.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import type { JobContext, JobResult, SegmentJob } from './job-kind.ts';

/** How long after its upload a segment waits for its predecessor, whose audio pre-roll it needs. */
const PREDECESSOR_GRACE_MS = 2000;
const POLL_MS = 50;

/** A camera that shows one frame in five seconds sends the next by then. */
const NEXT_SEGMENT_GRACE_MS = 8000;

/** Throws when another try may help; a segment that can never be decoded is recorded as failed. */
export async function runTranscode(
  deps: WorkerDeps,
  job: SegmentJob,
  context: JobContext,
): Promise<JobResult> {
  const { records, clock } = deps;
  const startedAtMs = clock.now();
  const [found, before] = await Promise.all([
    records.findStream(job.videoId),
    records.findOutcome(job, job.run, job.number),
  ]);
  const stream = found && withTrack(found.value, job.track);
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
      outcome = { ...(await storeRenditions(deps, stream, segment, transcoded)), startedAtMs };
    } catch (error) {
      if (!(error instanceof DomainError) || error.isPassing) throw error;
      const { number } = segment;
      const reason = `${error.code}: ${error.message}`;
      outcome = { type: 'failed', run: run.run, number, reason, completedAtMs: clock.now() };
    }
    // The encoder sent other bytes under its name, for which another job is queued.
    const now = await records.findSegment(stream, run.run, segment.number);
    if (now?.digest !== segment.digest) return 'obsolete';
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
    await setTimeout(POLL_MS, undefined, { signal });
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
  const [source, previous, firstRun] = await Promise.all([
    loadSource(deps, segment),
    findPredecessor(deps, stream, run, segment, signal),
    run.run === 1 ? run : records.getRun(stream, 1),
  ]);
  const own = segment.facts.video;
  const picture = own && run.picture ? pictureForSegment(run.picture, own) : (own ?? run.picture);
  const { facts } = segment;
  const firstTracks = firstRun?.audio.map((track) =>
    stream.track === undefined ? track : { ...track, codecString: COMPOSED_CODEC },
  );
  const tracks = { audioTracks: run.audio, firstTracks };
  const previousSource =
    previous && needsPrevious({ facts, ...tracks }) ? await loadSource(deps, previous) : undefined;
  return transcodeSegment({
    segment: source.bytes,
    init: source.init,
    facts,
    ...tracks,
    timestampOffsetTicks: segment.timestampOffsetTicks,
    rungs: picture ? planLadder(stream.settings.ladder, picture) : [],
    framesPerSecond: run.picture?.framesPerSecond,
    previous: previous && { ...previous, source: previousSource },
    findEndTicks: () => findEndTicks(deps, stream, segment, previous, signal),
    targetSeconds: await targetSeconds(records, stream),
    wantsPoster: hasPoster(
      facts.startTicks + segment.timestampOffsetTicks,
      facts.endTicks + segment.timestampOffsetTicks,
      run.anchorTicks,
    ),
    wantsThumbnails: true,
    // Nothing of a file can be watched before its first segment: it has all cores.
    threads: segment.ofFile && segment.number === run.firstNumber ? undefined : threads,
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
 * Where the segment ends by what is known besides its container. If that is no more than a guess, the next
 * segment is waited for a while: what follows could not be told from a step of the encoder's clock.
 */
async function findEndTicks(
  { records, clock }: WorkerDeps,
  stream: Stream,
  segment: SourceSegment,
  previous: SourceSegment | undefined,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { run, number, facts, timestampOffsetTicks, uploadedAtMs } = segment;
  const isGuess = facts.endIsGuess ?? false;
  const ageMs = Math.max(0, clock.now() - uploadedAtMs);
  const deadlineMs = performance.now() + (isGuess ? NEXT_SEGMENT_GRACE_MS - ageMs : 0);
  for (;;) {
    const [next, hint] = await Promise.all([
      records.findSegment(stream, run, number + 1),
      records.segmentHint(stream, run, number),
    ]);
    // The sound of a segment without picture leads: it does not say where this picture ends.
    const comparable = next?.facts.video || !facts.video ? next : undefined;
    const found = segmentEnd({
      startTicks: facts.startTicks + timestampOffsetTicks,
      endTicks: facts.endTicks + timestampOffsetTicks,
      isGuess,
      mayGoOn: mayGoOnInNext(facts.video, previous?.facts.video),
      nextStartTicks:
        comparable &&
        comparable.facts.startTicks + comparable.timestampOffsetTicks - (facts.clockStepTicks ?? 0),
      saidSeconds: hint?.seconds,
    });
    if (found !== undefined || performance.now() >= deadlineMs) return found;
    await setTimeout(POLL_MS, undefined, { signal });
  }
}

async function storeRenditions(
  deps: WorkerDeps,
  stream: Stream,
  { run, number, sizeBytes, uploadedAtMs }: SourceSegment,
  { startTicks, durationTicks, poster, closedCaptions: pairs, pieces }: TranscodedSegment,
): Promise<RenderedOutcome> {
  const catalogue: Record<string, RenditionInfo> = {};
  const stored: RenderedPiece[] = [];
  for (const { renditions, thumbnails: sprite, ...times } of pieces) {
    const made = Object.entries(renditions);
    for (const [name, { info }] of made) catalogue[name] = info;
    const keys = await Promise.all(
      made.map(async ([name, rendition]) => {
        return [name, await storeRendition(deps, stream, name, run, number, rendition)] as const;
      }),
    );
    const thumbnails = sprite && (await storeThumbnails(deps, stream, run, number, sprite));
    stored.push({ ...times, renditions: Object.fromEntries(keys), ...defined({ thumbnails }) });
  }
  const [only] = stored;
  const posterAt = poster && posterKey(stream, run, number, digestOf(poster));
  const isStored = poster && posterAt && (await storeStill(deps, posterAt, poster));
  const channels = channelsIn(pairs);
  if (pairs.length > 0) await putClosedCaptions(deps, stream, { run, number }, pairs);
  const hint = await deps.records.segmentHint(stream, run, number);
  return {
    type: 'rendered',
    ...defined({
      programDateTimeMs: hint?.programDateTimeMs,
      poster: isStored ? posterAt : undefined,
    }),
    ...{ run, number, startTicks, durationTicks },
    ...(stored.length === 1 && only
      ? { renditions: only.renditions, ...defined({ thumbnails: only.thumbnails }) }
      : { renditions: {}, pieces: stored }),
    ...(channels.length > 0 && { closedCaptions: channels }),
    ...{ catalogue, sourceBytes: sizeBytes, uploadedAtMs, completedAtMs: deps.clock.now() },
  };
}

/** undefined: they could not be stored. */
async function storeThumbnails(
  deps: WorkerDeps,
  stream: Stream,
  run: number,
  number: number,
  { bytes, ...grid }: ThumbnailSprite,
): Promise<Thumbnails | undefined> {
  const key = thumbnailsKey(stream, run, number, digestOf(bytes));
  const isStored = await storeStill(deps, key, bytes);
  return isStored ? { key, sizeBytes: bytes.byteLength, ...grid } : undefined;
}

/** false: it could not be stored. A segment does without. */
async function storeStill(
  { media: store }: WorkerDeps,
  key: string,
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    await store.put(key, bytes, JPEG_CONTENT_TYPE);
    return true;
  } catch (error) {
    reportError(error, 'storing a still picture');
    return false;
  }
}

async function storeRendition(
  { media: store }: WorkerDeps,
  stream: Stream,
  name: string,
  run: number,
  number: number,
  { init, media, info, ...times }: RenditionSegment,
): Promise<EntryRendition> {
  const { contentType } = MEDIA_FORMATS[info.kind === 'video' ? 'cmafVideo' : 'cmafAudio'];
  const key = renditionSegmentKey(stream, name, run, number, digestOf(media));
  const initKey = renditionInitKey(stream, name, digestOf(init));
  await Promise.all([store.put(key, media, contentType), store.put(initKey, init, contentType)]);
  return { key, initKey, sizeBytes: media.byteLength, ...defined(times) };
}

/** What longer segments are cut for; a stream's playlists fix it with their first entries. */
async function targetSeconds(
  records: StreamRecords,
  { settings, ...stream }: Stream,
): Promise<number | undefined> {
  if (settings.targetDurationSeconds !== undefined) return settings.targetDurationSeconds;
  return (await records.timeline(stream)).value.targetDurationSeconds;
}
