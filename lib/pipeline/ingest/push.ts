/**
 * What encoders that push HLS send under file names: segments, init segments and playlists. The
 * playlists give order, exact durations, the first number and the end; the names number the segments
 * until the playlist comes, which is after them in most encoders.
 */

import type { IgnoredFile } from '../../api/messages.ts';
import { defined } from '../../base/defined.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Notice } from '../../domain/notice.ts';
import { closestName, matchesVariant } from '../../domain/segment-names.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import { isoKind } from '../../media/iso-boxes.ts';
import { ensureStream, getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import type { Versioned } from '../records/record-types.ts';
import { initScope, storeInit } from './init-segment.ts';
import {
  type AssignedName,
  assignNumber,
  changeVariant,
  releaseName,
  renumberName,
  takeVariant,
} from './push-naming.ts';
import { readPlaylist } from './push-playlist.ts';
import { inTurn, isFirstFile } from './push-turns.ts';
import { VariantIgnored, variantNotice } from './twin.ts';
import {
  CreatedMeanwhile,
  type SegmentUpload,
  type UploadResult,
  uploadSegment,
} from './upload.ts';

const INIT_WAIT_MS = 3000;
const INIT_POLL_MS = 50;

/** So long, and for so many of its segments, a variant may pause before another takes its place. */
const SILENT_MS = 10_000;
const SILENT_SEGMENTS = 3;

export type PushedFile = Readonly<{
  name: string;
  bytes: Uint8Array;
  session?: string;
  digest?: string;
  /** BCP 47, of captions. */
  language?: string;
}>;

/** undefined for a file that is no segment and is taken. */
export type PushResult = UploadResult | IgnoredFile | undefined;

/** Of a file that an uploader renames when it is whole: there is nothing to rename here. */
const TEMPORARY = /(?<=.)\.(?:tmp|temp|part|partial)$/i;

/** Throws DomainError. */
export async function pushFile(
  deps: Deps,
  stream: Versioned<Stream>,
  given: PushedFile,
): Promise<PushResult> {
  const file = { ...given, name: given.name.replace(TEMPORARY, '') };
  const { name, bytes, session } = file;
  if (bytes.byteLength === 0) {
    throw new DomainError('empty_body', `"${name}" has no bytes.`, 'Send the file as the body.');
  }
  if (isPlaylist(file)) return readPlaylist(deps, stream, file);
  if (isDashManifest(file)) throw dashManifest(name);
  const left = await leftOut(deps, stream.value, file);
  if (left) return left;
  if (isoKind(bytes) === 'init') {
    await storeInit(deps, stream, bytes, session, name);
    return undefined;
  }
  if (textOf(bytes).startsWith('WEBVTT')) return pushCaptions(deps, stream, file);
  return pushSegment(deps, stream, file);
}

/** Names do not tell the language, and captions without one would be a track that nobody can choose. */
async function pushCaptions(
  deps: Deps,
  given: Versioned<Stream>,
  { name, bytes, session, language }: PushedFile,
): Promise<IgnoredFile | undefined> {
  if (language === undefined) {
    const message = `"${name}" holds captions, whose language is not known, so they are not used. Push them with ?lang=, as in ${name}?lang=de.`;
    return ignored({ code: 'track_ignored', message });
  }
  const { putCaptionFile } = await import('../captions/edit-captions.ts');
  const { value: stream } = await ensureStream(deps, given);
  const set = `push/${session ?? ''}/${name}`;
  const file = { bytes, set, ...defined({ session }), countsFromRun: true };
  await putCaptionFile(deps, stream, { language }, file);
  return undefined;
}

/** The answer to a file of a variant that is left out, unless that is to be taken now. */
async function leftOut(
  deps: Deps,
  stream: Stream,
  { name, session }: PushedFile,
): Promise<IgnoredFile | undefined> {
  const { value } = await deps.records.pushNaming(stream, session ?? '');
  if (!matchesVariant(name, value.ignored)) return undefined;
  if (!(await keptVariantIsSilent(deps, stream, session))) return ignored(variantNotice(name));
  await takeVariant(deps.records, stream, session, name);
  return undefined;
}

/** The encoder may have been started again with the variant that was left out alone. */
async function keptVariantIsSilent(
  { records, clock }: Deps,
  stream: Stream,
  session: string | undefined,
): Promise<boolean> {
  const run = await (session === undefined
    ? records.newestRun(stream)
    : records.runOfSession(stream, session));
  const newest = run && (await records.newestSegment(stream, run.run));
  if (!newest) return true;
  const { startTicks, endTicks } = newest.facts;
  const silentMs = Math.max(SILENT_MS, SILENT_SEGMENTS * ticksToMs(endTicks - startTicks));
  return Math.abs(clock.now() - newest.uploadedAtMs) > silentMs;
}

const ignored = (notice: Notice): IgnoredFile => ({ ignored: true, notices: [notice] });

/** The first characters of a file, without a byte order mark. */
const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.subarray(0, 16))
    .toString('utf8')
    .replace(/^\uFEFF/, '');

const isPlaylist = ({ name, bytes }: PushedFile): boolean =>
  /\.m3u8?$/i.test(name) || textOf(bytes).startsWith('#EXTM3U');

const isDashManifest = ({ name, bytes }: PushedFile): boolean =>
  /\.mpd$/i.test(name) || /<MPD[\s>]/.test(Buffer.from(bytes.subarray(0, 2000)).toString('latin1'));

const dashManifest = (name: string): DomainError =>
  new DomainError(
    'unsupported_media',
    `"${name}" is a DASH manifest. DASH has picture and sound in files apart, which are not joined here.`,
    'Push HLS with picture and sound in each segment (ffmpeg: -f hls -hls_segment_type fmp4 instead of -f dash).',
  );

async function pushSegment(
  deps: Deps,
  stream: Versioned<Stream>,
  file: PushedFile,
): Promise<UploadResult | IgnoredFile> {
  const { name, session } = file;
  const { value } = await deps.records.pushNaming(stream.value, session ?? '');
  // The very first one makes the stream.
  if (stream.version === 0 || !isFirstFile(value)) return takeSegment(deps, stream, file);
  return inTurn(deps, stream.value, session, name, async () => {
    return (await leftOut(deps, stream.value, file)) ?? takeSegment(deps, stream, file);
  });
}

async function takeSegment(
  deps: Deps,
  stream: Versioned<Stream>,
  file: PushedFile,
): Promise<UploadResult | IgnoredFile> {
  const { records } = deps;
  const { name, bytes, session, digest } = file;
  const naming = await records.pushNaming(stream.value, session ?? '');
  const { inits, bandwidths } = naming.value;
  const assigned = await assignNumber(records, stream.value, session, name, naming);
  const upload: SegmentUpload = {
    number: assigned.number,
    bytes,
    pushed: true,
    file: { name, mayBeVariant: !assigned.isProven, bandwidths },
    ...defined({ session, digest }),
    ...(inits.length > 1 && { initScope: initScope(session, closestName(name, inits)) }),
  };
  try {
    const result = await uploadWithInit(deps, stream, upload);
    await noteResult(deps, stream.value, file, assigned, result);
    return result;
  } catch (error) {
    if (error instanceof CreatedMeanwhile) {
      return pushSegment(deps, await getStream(deps, stream.value.videoId), file);
    }
    const keptName = error instanceof VariantIgnored ? error.keptName : undefined;
    await releaseName(records, stream.value, session, name, assigned.isNew, keptName);
    if (error instanceof VariantIgnored) return ignored(error.notice);
    throw error;
  }
}

async function noteResult(
  { records }: Deps,
  stream: Stream,
  { name, session }: PushedFile,
  assigned: AssignedName,
  { receipt, insteadOf }: UploadResult,
): Promise<void> {
  const named = { name, number: receipt.segment };
  if (insteadOf !== undefined) {
    await changeVariant(records, stream, session, named, insteadOf);
  } else if (receipt.segment !== assigned.number) {
    await renumberName(records, stream, session, named);
  }
}

/**
 * ffmpeg does not wait for one answer before it sends the next file: the init segment that went ahead
 * may be a moment behind.
 */
async function uploadWithInit(
  deps: Deps,
  stream: Versioned<Stream>,
  upload: SegmentUpload,
): Promise<UploadResult> {
  for (let waitedMs = 0; ; waitedMs += INIT_POLL_MS) {
    try {
      return await uploadSegment(deps, stream, upload);
    } catch (error) {
      const isEarly = error instanceof DomainError && error.code === 'missing_init';
      if (!isEarly || waitedMs >= INIT_WAIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, INIT_POLL_MS));
    }
  }
}
