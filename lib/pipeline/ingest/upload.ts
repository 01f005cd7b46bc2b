/**
 * Ingests one source segment: checks it, stores it, records it, queues its job. What was acknowledged
 * is stored; a refused segment is neither stored nor recorded. Uploads are idempotent.
 */

import type { Receipt } from '../../api/messages.ts';
import { defined } from '../../base/defined.ts';
import { isPlausibleTime } from '../../domain/encoder-clock.ts';
import { DomainError } from '../../domain/errors.ts';
import { withTrack } from '../../domain/languages/language-track.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { sourceSegmentKey } from '../../domain/object-keys.ts';
import { timeStartsOver } from '../../domain/run.ts';
import type { SegmentFacts, SourceSegment } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { TIMELINE_OFFSET_TICKS, ticksToSeconds, unwrapOffset } from '../../domain/ticks.ts';
import type { Inspection } from '../../media/inspect.ts';
import { isoKind } from '../../media/iso-boxes.ts';
import type { IngestDeps } from '../deps.ts';
import { digestInPieces } from '../digest.ts';
import { enqueueSegments, requeueLost } from '../jobs/requeue.ts';
import type { Versioned } from '../records/record-types.ts';
import { startHousekeeping } from '../upkeep/housekeeping.ts';
import { requireUnexpired } from './expired-segment.ts';
import { inspectUpload } from './language-uploads.ts';
import { receiptFor } from './receipt.ts';
import { startRun, withLateTracks } from './run-start.ts';
import { decideSequence, type Sequencing, segmentConflict } from './sequencing.ts';
import {
  findTwin,
  keptNotice,
  leavesVariant,
  type PushedName,
  replacedNotice,
  type Twin,
  VariantIgnored,
} from './twin.ts';

export type SegmentUpload = Readonly<{
  number: number;
  session?: string;
  bytes: Uint8Array;
  /** sha-256 that the encoder computed, hex. */
  digest?: string;
  /** Duration by the encoder; the container may not give that of the last frame. */
  durationSeconds?: number;
  /** Wall clock of its beginning by the encoder, since 1970. */
  atMs?: number;
  /** Came under a file name, from an encoder that cannot send `session`. */
  pushed: boolean;
  /** The name, if the segment is numbered by it. */
  file?: PushedName;
  /** Of the init segment, if there are several. */
  initScope?: string;
  /** The object that holds these bytes already, if they came by a presigned upload. */
  storedKey?: string;
  /** Cut out of a whole file: live segments are transcoded first. */
  ofFile?: true;
  /** Of the first segment of a file's run: its wall clock, which may lie ahead. */
  runStartMs?: number;
}>;

export type UploadResult = Readonly<{
  receipt: Receipt;
  isNew: boolean;
  /** The file of another variant: the next ones are of this one's. */
  insteadOf?: string;
}>;

/** Rounds in which another upload may win the race for a run or a number before we give up. */
const MAX_RACES = 5;

/** One job makes all of a segment, and viewers wait for it. */
const MAX_SEGMENT_SECONDS = 60;

/** A segment that is uploaded again so much later and has no job in the queue has lost it. */
const REPEATED_UPLOAD_MS = 5000;

/** Another request has created the stream, and may have numbered the file there. */
export class CreatedMeanwhile extends Error {
  override readonly name = 'CreatedMeanwhile';
}

/** Throws DomainError, and for a file `CreatedMeanwhile`. */
export async function uploadSegment(
  deps: IngestDeps,
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
  const digest = await digestInPieces(upload.bytes);
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
    if (stream.version === 0) {
      stream = await reread(deps, stream);
      if (stream.version > 0 && upload.file) throw new CreatedMeanwhile();
    }
    const nowMs = deps.clock.now();
    const place = await decideSequence(records, stream.value, { ...upload, digest }, nowMs);
    if (place.type === 'present') {
      await resume(deps, stream.value, place.segment);
      return {
        receipt: await receiptFor(deps, stream.value, place.run, place.segment),
        isNew: false,
      };
    }
    await requireUnexpired(records, stream.value, upload, place, nowMs);
    const init = await initFor(deps, stream.value, upload);
    inspected ??= await inspectUpload(deps, stream.value, upload.bytes, init?.bytes);
    const twin = await findTwin(deps, stream.value, upload, inspected.facts, place);
    if (twin?.answer === 'ignore_variant') throw new VariantIgnored(twin, inspected.facts);
    if (twin?.answer === 'next_number') {
      upload = { ...upload, number: twin.newest.number + 1 };
      continue;
    }
    if (twin?.answer === 'keep_twin') {
      const notices = [keptNotice(twin)];
      const receipt = await receiptFor(deps, stream.value, twin.run, twin.segment, notices);
      const insteadOf = leavesVariant(twin) ? twin.keptName : undefined;
      return { receipt, isNew: false, ...defined({ insteadOf }) };
    }
    const source = { upload, digest, inspected, initKey: init?.key };
    const stored =
      twin?.answer === 'replace'
        ? await replaceTwin(deps, stream.value, source, twin)
        : await store(deps, stream, source, openPlace(place, upload, twin));
    if (stored === 'raced') {
      if (stream.version > 0) stream = await reread(deps, stream);
      continue;
    }
    await Promise.all([
      enqueueSegments(deps, stream.value, [stored.segment]),
      stored.startsRun ? startHousekeeping(deps, stream.value) : undefined,
    ]);
    const isInstead = twin?.answer === 'replace' || twin?.answer === 'switch_variant';
    const notices = isInstead ? [replacedNotice(twin)] : [];
    const insteadOf = twin && leavesVariant(twin) ? twin.keptName : undefined;
    return {
      receipt: await receiptFor(deps, stream.value, stored.run, stored.segment, notices),
      isNew: true,
      ...defined({ insteadOf }),
    };
  }
  throw new DomainError(
    'unavailable',
    `Too many uploads raced for segment ${upload.number}.`,
    'Send it again in a second.',
  );
}

/** The stream as it is now, of the same track. */
async function reread(
  { records }: IngestDeps,
  stream: Versioned<Stream>,
): Promise<Versioned<Stream>> {
  const found = await records.findStream(stream.value.videoId);
  return found ? { ...found, value: withTrack(found.value, stream.value.track) } : stream;
}

/** The init segment that the encoder sent ahead; undefined when there is none, or none is needed. */
async function initFor(
  deps: IngestDeps,
  stream: Stream,
  upload: SegmentUpload,
): Promise<{ key: string; bytes: Uint8Array } | undefined> {
  if (isoKind(upload.bytes) !== 'fragment') return undefined;
  const { records } = deps;
  const scope = upload.initScope ?? upload.session ?? '';
  const init = await records.findSourceInit(stream, scope);
  const bytes = init && (await deps.media.get(init.key));
  return init && bytes ? { key: init.key, bytes } : undefined;
}

/** What is to be stored, and what was found in it. */
type Source = Readonly<{
  upload: SegmentUpload;
  digest: string;
  inspected: Inspection;
  initKey: string | undefined;
}>;

type OpenPlace = Extract<Sequencing, { type: 'join' | 'new_run' }>;

/** Throws `segment_conflict` where the encoder has named its session, which is one run. */
function openPlace(place: Sequencing, { number, session }: SegmentUpload, twin?: Twin): OpenPlace {
  if (!twin && (place.type === 'join' || place.type === 'new_run')) return place;
  const run = twin?.run ?? (place.type === 'twin' ? place.run : undefined);
  if (!run || session !== undefined) throw segmentConflict(number);
  return { type: 'new_run', run: run.run + 1 };
}

type Stored = Readonly<{ run: Run; segment: SourceSegment; startsRun: boolean }>;

async function store(
  deps: IngestDeps,
  stream: Versioned<Stream>,
  source: Source,
  place: OpenPlace,
): Promise<Stored | 'raced'> {
  const { upload, inspected } = source;
  const { facts } = inspected;
  const { records } = deps;
  requireSaneDuration(upload.number, facts);
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
  const run = joins
    ? await withLateTracks(deps, stream.value, joins, facts, timestampOffsetTicks)
    : startRun(
        newRunNumber,
        upload,
        facts,
        timestampOffsetTicks,
        nowMs,
        stream.value.track === undefined
          ? upload.runStartMs
          : hintOf(upload, nowMs)?.programDateTimeMs,
      );
  const segment = await storeSource(deps, stream.value, source, run.run, timestampOffsetTicks);
  const hint = hintOf(upload, nowMs);
  if (hint) await records.hintSegments(stream.value, run.run, [hint]);
  const creates = stream.version === 0 ? { stream: stream.value } : {};
  const recorded = await records.recordSegment(
    stream.value,
    segment,
    joins ? undefined : { run, ...creates },
  );
  if (recorded) return { run, segment, startsRun: !joins };
  // Another request created the stream, so that no record will ever name this object.
  if (stream.version === 0 && !upload.storedKey) await deps.media.delete([segment.sourceKey]);
  return 'raced';
}

function hintOf({ number, durationSeconds, atMs }: SegmentUpload, nowMs: number) {
  const isTimed = atMs !== undefined && isPlausibleTime(atMs, nowMs);
  if (durationSeconds === undefined && !isTimed) return undefined;
  return {
    number,
    ...defined({ seconds: durationSeconds, programDateTimeMs: isTimed ? atMs : undefined }),
  };
}

/** Stores the bytes, and returns the record that is to be written for them. */
async function storeSource(
  deps: IngestDeps,
  stream: Stream,
  { upload, digest, inspected, initKey }: Source,
  run: number,
  timestampOffsetTicks: number,
): Promise<SourceSegment> {
  const { facts, preroll } = inspected;
  const { extension, contentType } = MEDIA_FORMATS[facts.container];
  const sourceKey =
    upload.storedKey ?? sourceSegmentKey(stream, run, upload.number, digest, extension);
  if (!upload.storedKey) await deps.media.put(sourceKey, upload.bytes, contentType);
  return {
    run,
    number: upload.number,
    digest,
    sizeBytes: upload.bytes.byteLength,
    sourceKey,
    ...(initKey ? { initKey } : {}),
    facts,
    preroll,
    timestampOffsetTicks,
    uploadedAtMs: deps.clock.now(),
    ...(upload.file ? { name: upload.file.name } : {}),
    ...(upload.ofFile && { ofFile: true as const }),
  };
}

/** A run is planned by its first segment, so it changes with that. */
async function replaceTwin(
  deps: IngestDeps,
  stream: Stream,
  source: Source,
  { run, segment: before, timestampOffsetTicks }: Twin,
): Promise<Stored | 'raced'> {
  const { number } = before;
  const upload = { ...source.upload, number };
  const { facts } = source.inspected;
  requireSaneDuration(number, facts);
  const segment = await storeSource(
    deps,
    stream,
    { ...source, upload },
    run.run,
    timestampOffsetTicks,
  );
  const { session, explicit, createdAtMs } = run;
  const planned =
    number === run.firstNumber
      ? {
          ...startRun(run.run, upload, facts, timestampOffsetTicks, deps.clock.now()),
          ...{ session, explicit, createdAtMs },
        }
      : undefined;
  const replaced = await deps.records.replaceSegment(stream, before, segment, planned);
  return replaced ? { run: planned ?? run, segment, startsRun: false } : 'raced';
}

/** Throws `segment_too_long`. What is longer than the target duration is listed in several pieces. */
function requireSaneDuration(number: number, { startTicks, endTicks }: SegmentFacts): void {
  const seconds = ticksToSeconds(endTicks - startTicks);
  if (seconds <= MAX_SEGMENT_SECONDS) return;
  throw new DomainError(
    'segment_too_long',
    `Segment ${number} lasts ${seconds.toFixed(3)} s; ${MAX_SEGMENT_SECONDS} s is the longest.`,
    "Set the encoder's segment length and keyframe interval to a few seconds; viewers wait for a segment to end.",
  );
}

/**
 * A repeated upload may be one whose messages could not be sent, so a job that is lost is queued again,
 * and housekeeping starts again: of several messages for it one goes on.
 */
async function resume(deps: IngestDeps, stream: Stream, segment: SourceSegment): Promise<void> {
  if (await deps.records.findOutcome(stream, segment.run, segment.number)) return;
  await startHousekeeping(deps, stream);
  await requeueLost(deps, stream, [segment], { minAgeMs: REPEATED_UPLOAD_MS });
}
