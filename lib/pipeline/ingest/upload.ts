/**
 * Ingests one source segment: checks it, stores it, records it, queues its job. What was acknowledged
 * is stored; a refused segment is neither stored nor recorded. Uploads are idempotent.
 */

import type { Receipt } from '../../api/messages.ts';
import { DomainError } from '../../domain/errors.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { sourceSegmentKey } from '../../domain/object-keys.ts';
import { timeStartsOver } from '../../domain/run.ts';
import type { SegmentFacts, SourceSegment } from '../../domain/segment.ts';
import { fitsTarget, type Run, type Stream, targetFromFirstSegment } from '../../domain/stream.ts';
import {
  TIMELINE_OFFSET_TICKS,
  ticksToMs,
  ticksToSeconds,
  unwrapOffset,
} from '../../domain/ticks.ts';
import type { Inspection } from '../../media/inspect.ts';
import { isoKind } from '../../media/iso-boxes.ts';
import type { Deps } from '../deps.ts';
import { digestOf } from '../digest.ts';
import { enqueueSegments, requeueLost } from '../jobs/requeue.ts';
import type { Versioned } from '../records/record-types.ts';
import { startHousekeeping } from '../upkeep/housekeeping.ts';
import { receiptFor } from './receipt.ts';
import { decideSequence, type Sequencing } from './sequencing.ts';

export type SegmentUpload = Readonly<{
  number: number;
  session?: string;
  bytes: Uint8Array;
  /** sha-256 that the encoder computed, hex. */
  digest?: string;
  /** Duration by the encoder; the container may not give that of the last frame. */
  durationSeconds?: number;
  /** Came under a file name, from an encoder that cannot send `session`. */
  pushed: boolean;
  /** The object that holds these bytes already, if they came by a presigned upload. */
  storedKey?: string;
}>;

export type UploadResult = Readonly<{ receipt: Receipt; isNew: boolean }>;

/** Rounds in which another upload may win the race for a run or a number before we give up. */
const MAX_RACES = 5;

/** A segment that is uploaded again so much later and has no job in the queue has lost it. */
const REPEATED_UPLOAD_MS = 5000;

/** Demuxers are large: a process loads them after its start, or when the first segment comes. */
export const loadInspection = () => import('../../media/inspect.ts');

export async function uploadSegment(
  deps: Deps,
  stream: Versioned<Stream>,
  upload: SegmentUpload,
): Promise<UploadResult> {
  if (upload.bytes.byteLength === 0) {
    throw new DomainError(
      'empty_body',
      `Segment ${upload.number} has no bytes.`,
      'Send the segment as the request body; for a large one, announce ?size= and ?digest=.',
    );
  }
  const digest = digestOf(upload.bytes);
  if (upload.digest !== undefined && upload.digest !== digest) {
    throw new DomainError(
      'digest_mismatch',
      `The bytes that came have the sha-256 ${digest}, not ${upload.digest}.`,
      'The segment was damaged on its way, or the digest is of other bytes; send it again.',
    );
  }
  const { records } = deps;
  let inspected: Inspection | undefined;
  for (let race = 0; race < MAX_RACES; race += 1) {
    if (stream.version === 0) stream = (await records.findStream(stream.value.videoId)) ?? stream;
    const place = await decideSequence(records, stream.value, { ...upload, digest });
    if (place.type === 'present') {
      await resume(deps, stream.value, place.segment);
      return {
        receipt: await receiptFor(deps, stream.value, place.run, place.segment),
        isNew: false,
      };
    }
    const init = await initFor(deps, stream.value, upload);
    const { inspectSegment } = await loadInspection();
    inspected ??= await inspectSegment(upload.bytes, init?.bytes);
    const stored = await store(deps, stream, upload, digest, place, inspected, init?.key);
    if (stored === 'raced') {
      stream = (await records.findStream(stream.value.videoId)) ?? stream;
      continue;
    }
    await Promise.all([
      enqueueSegments(deps, stream.value, [stored.segment]),
      stored.startsRun ? startHousekeeping(deps, stream.value) : undefined,
    ]);
    return {
      receipt: await receiptFor(deps, stream.value, stored.run, stored.segment),
      isNew: true,
    };
  }
  throw new DomainError(
    'unavailable',
    `Too many uploads raced for segment ${upload.number}.`,
    'Send it again in a second.',
  );
}

/** The init segment that the encoder sent ahead; undefined when there is none, or none is needed. */
async function initFor(
  deps: Deps,
  stream: Stream,
  upload: SegmentUpload,
): Promise<{ key: string; bytes: Uint8Array } | undefined> {
  if (isoKind(upload.bytes) !== 'fragment') return undefined;
  const { records } = deps;
  const init = await records.findSourceInit(stream, upload.session ?? '');
  const bytes = init && (await deps.media.get(init.key));
  return init && bytes ? { key: init.key, bytes } : undefined;
}

type Stored = Readonly<{ run: Run; segment: SourceSegment; startsRun: boolean }>;

async function store(
  deps: Deps,
  stream: Versioned<Stream>,
  upload: SegmentUpload,
  digest: string,
  place: Exclude<Sequencing, { type: 'present' }>,
  { facts, preroll }: Inspection,
  initKey: string | undefined,
): Promise<Stored | 'raced'> {
  const { records } = deps;
  const settings = checkDuration(stream.value, upload.number, facts);
  const nowMs = deps.clock.now();
  let timestampOffsetTicks = TIMELINE_OFFSET_TICKS;
  let joins: Run | undefined;
  let newRunNumber = place.type === 'new_run' ? place.run : 0;
  if (place.type === 'join') {
    const newestStart = place.newest.facts.startTicks + place.newest.timestampOffsetTicks;
    timestampOffsetTicks += unwrapOffset(facts.startTicks + TIMELINE_OFFSET_TICKS, newestStart);
    const startTicks = facts.startTicks + timestampOffsetTicks;
    const newest = { number: place.newest.number, startTicks: newestStart };
    if (upload.session === undefined && timeStartsOver(upload.number, startTicks, newest)) {
      newRunNumber = place.run.run + 1;
      timestampOffsetTicks = TIMELINE_OFFSET_TICKS;
    } else joins = place.run;
  }
  const run = joins ?? startRun(newRunNumber, upload, facts, timestampOffsetTicks, nowMs);
  const { extension, contentType } = MEDIA_FORMATS[facts.container];
  const sourceKey =
    upload.storedKey ?? sourceSegmentKey(stream.value, run.run, upload.number, digest, extension);
  const segment: SourceSegment = {
    run: run.run,
    number: upload.number,
    digest,
    sizeBytes: upload.bytes.byteLength,
    sourceKey,
    ...(initKey ? { initKey } : {}),
    facts,
    preroll,
    timestampOffsetTicks,
    uploadedAtMs: nowMs,
  };
  if (!upload.storedKey) await deps.media.put(sourceKey, upload.bytes, contentType);
  if (upload.durationSeconds !== undefined) {
    const durations = [{ number: upload.number, seconds: upload.durationSeconds }];
    await records.hintDurations(stream.value, run.run, durations);
  }
  const changed =
    settings === stream.value.settings && stream.version > 0
      ? {}
      : { stream: { ...stream, value: { ...stream.value, settings } } };
  const recorded = await records.recordSegment(
    stream.value,
    segment,
    joins ? undefined : { run, ...changed },
  );
  if (recorded) return { run, segment, startsRun: !joins };
  // Another request created the stream, so that no record will ever name this object.
  if (stream.version === 0 && !upload.storedKey) await deps.media.delete([sourceKey]);
  return 'raced';
}

/** Throws `segment_too_long`; returns the settings, with the target duration if this segment sets it. */
function checkDuration(stream: Stream, number: number, facts: SegmentFacts): Stream['settings'] {
  const seconds = ticksToSeconds(facts.endTicks - facts.startTicks);
  const target = stream.settings.targetDurationSeconds;
  if (target === undefined) {
    return { ...stream.settings, targetDurationSeconds: targetFromFirstSegment(seconds) };
  }
  if (fitsTarget(seconds, target)) return stream.settings;
  throw new DomainError(
    'segment_too_long',
    `Segment ${number} lasts ${seconds.toFixed(3)} s; the stream's target duration is ${target} s.`,
    `Set the encoder's keyframe interval and segment length to ${target} s or less, or PUT /streams/${stream.videoId} with a larger targetDurationSeconds before the first upload.`,
  );
}

function startRun(
  run: number,
  upload: SegmentUpload,
  facts: SegmentFacts,
  timestampOffsetTicks: number,
  nowMs: number,
): Run {
  return {
    run,
    session: upload.session ?? `~${run}`,
    explicit: upload.session !== undefined,
    firstNumber: upload.number,
    createdAtMs: nowMs,
    anchorTicks: facts.startTicks + timestampOffsetTicks,
    anchorMs: nowMs - ticksToMs(facts.endTicks - facts.startTicks),
    ...(facts.video
      ? {
          picture: {
            widthPx: facts.video.widthPx,
            heightPx: facts.video.heightPx,
            framesPerSecond: facts.video.framesPerSecond,
          },
        }
      : {}),
    audio: facts.audio.map((track) => ({
      codec: track.codec,
      sampleRateHz: track.sampleRateHz,
      channels: track.channels,
      language: track.language,
      startTicks: track.startTicks + timestampOffsetTicks,
    })),
  };
}

/**
 * A repeated upload may be one whose messages could not be sent, so a job that is lost is queued again,
 * and housekeeping starts again: of several messages for it one goes on.
 */
async function resume(deps: Deps, stream: Stream, segment: SourceSegment): Promise<void> {
  if (await deps.records.findOutcome(stream, segment.run, segment.number)) return;
  await startHousekeeping(deps, stream);
  await requeueLost(deps, stream, [segment], { minAgeMs: REPEATED_UPLOAD_MS });
}
