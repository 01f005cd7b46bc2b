/**
 * Playlists that encoders push: they number the files that have not come yet, and give durations,
 * wall-clock times, the target duration and the end.
 */

import type { IgnoredFile } from '../../api/messages.ts';
import { isPlausibleTime } from '../../domain/encoder-clock.ts';
import { DomainError } from '../../domain/errors.ts';
import {
  disproves,
  matchesVariant,
  type NamedNumber,
  numberByName,
  numbersByPlace,
  sameFile,
  shapeOf,
  variantPattern,
} from '../../domain/segment-names.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { MAX_NAME_BYTES, readNewestFiles } from '../../playlist/newest-files.ts';
import {
  type ListedFile,
  MAX_PLAYLIST_BYTES,
  type PushedMultivariantPlaylist,
  pushedName,
} from '../../playlist/pushed-playlist.ts';
import { ensureStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import type { PushNaming, Versioned } from '../records/record-types.ts';
import type { StreamRecords } from '../records/stream-records.ts';
import { endByPlaylist } from './end.ts';
import { changeNaming, KEPT_VARIANTS, nextInOrder, withNames } from './push-naming.ts';
import { variantNotice } from './twin.ts';

/** Each playlist repeats the one before; only its newest lines are new. */
const NEWEST_LINES = 12;
/** Of a playlist that comes after many segments, or before them. */
const FIRST_LINES = 90;
/** Lines that tell what counts in names, and how many names tell it without them. */
const TELLING_LINES = 8;
const TELLING_NAMES = 3;
const MAX_RACES = 20;
const MAX_TARGET_SECONDS = 3600;
const MAX_BANDWIDTHS = 16;
/** A longer one, as of a whole day, is read in a thread: it takes most of a second. */
const SHORT_BYTES = 64 * 1024;

const CAPTIONS = /\.(?:vtt|webvtt|srt|ttml|dfxp|stl)$/i;

type PlaylistFile = Readonly<{ name: string; bytes: Uint8Array; session?: string }>;

/**
 * Throws `bad_request` for text that is no playlist, `too_large`, and `unsupported_media` if the
 * segments are encrypted.
 */
export async function readPlaylist(
  deps: Deps,
  given: Versioned<Stream>,
  file: PlaylistFile,
): Promise<IgnoredFile | undefined> {
  const { records } = deps;
  const { session } = file;
  if (file.bytes.byteLength > MAX_PLAYLIST_BYTES) {
    throw new DomainError(
      'too_large',
      `The playlist has ${file.bytes.byteLength} bytes; at most ${MAX_PLAYLIST_BYTES} are read.`,
      'Let the encoder list its newest segments only (ffmpeg: -hls_list_size 10).',
    );
  }
  const { bytes, name } = file;
  const playlist =
    bytes.byteLength <= SHORT_BYTES
      ? readNewestFiles(bytes, name, FIRST_LINES)
      : await deps.inspection.run('readNewestFiles', given.value.videoId, [
          bytes,
          name,
          FIRST_LINES,
        ]);
  if (playlist.type === 'media' && playlist.encryption !== undefined) {
    throw encrypted(playlist.encryption);
  }
  if (playlist.type === 'multivariant') {
    const { value } = await ensureStream(deps, given);
    await keepBandwidths(records, value, file, playlist);
    return undefined;
  }
  const { files, fileCount } = playlist;
  const newest = files.at(-1);
  if (playlist.iFramesOnly || (newest && CAPTIONS.test(newest.name))) return undefined;
  // Nothing is to come of it that a stream would have to be made for.
  if (!newest && given.version === 0) return undefined;
  const { value: stream } = await ensureStream(deps, given);
  const { value: naming } = await records.pushNaming(stream, session ?? '');
  if (newest && playlist.parts)
    await ignoreParts(records, stream, file, newest.name, playlist.parts);
  if (newest && matchesVariant(newest.name, naming.ignored)) {
    return { ignored: true, notices: [variantNotice(newest.name)] };
  }
  const run = await (session === undefined
    ? records.newestRun(stream)
    : records.runOfSession(stream, session));
  const lines = await numberNewest(records, stream, session, run, files);
  const last = lines.findLast(({ gap }) => !gap);
  // A run that is still to come is the first one: that of another encoder would be the newest.
  if (run || session === undefined) {
    const timed = withPlausibleTimes(lines, deps.clock.now());
    await keepHints(records, stream, run, timed, fileCount, playlist.targetDurationSeconds);
  }
  if (playlist.ended) await endByPlaylist(deps, stream, session, last?.number);
  return undefined;
}

const encrypted = (method: string): DomainError =>
  new DomainError(
    'unsupported_media',
    `The playlist says that its segments are encrypted (EXT-X-KEY, METHOD=${method.slice(0, 40)}).`,
    'Push segments without encryption (ffmpeg: no -hls_enc, no -hls_key_info_file); HTTPS protects them on their way.',
  );

/** Parts of a segment are pushed beside it: the segment, which follows them, has it all. */
async function ignoreParts(
  records: StreamRecords,
  stream: Stream,
  { name: playlistName, session }: PlaylistFile,
  segmentName: string,
  parts: readonly string[],
): Promise<void> {
  const { value } = await records.pushNaming(stream, session ?? '');
  const unknown = parts
    .map((uri) => pushedName(uri, playlistName))
    .find((name) => !matchesVariant(name, value.ignored));
  const pattern = unknown === undefined ? undefined : variantPattern(unknown, segmentName);
  // Names that are made like the segment's cannot be told from it.
  if (!pattern || pattern.shape === shapeOf(segmentName)) return;
  await changeNaming(records, stream, session, (naming) => ({
    ...naming,
    ignored: [...naming.ignored, pattern].slice(-KEPT_VARIANTS),
  }));
}

type NumberedFile = ListedFile & NamedNumber;

const withPlausibleTimes = (lines: readonly NumberedFile[], nowMs: number): NumberedFile[] =>
  lines.map(({ programDateTimeMs, ...line }) =>
    programDateTimeMs !== undefined && isPlausibleTime(programDateTimeMs, nowMs)
      ? { ...line, programDateTimeMs }
      : line,
  );

async function keepHints(
  records: StreamRecords,
  stream: Stream,
  run: Run | undefined,
  lines: readonly NumberedFile[],
  fileCount: number,
  targetDurationSeconds: number,
): Promise<void> {
  const runNumber = run?.run ?? 1;
  const first = lines.length === fileCount ? lines[0]?.number : undefined;
  const isFirst = first !== undefined && (!run || first === run.firstNumber);
  const isTarget = targetDurationSeconds > 0 && targetDurationSeconds <= MAX_TARGET_SECONDS;
  if (isFirst || isTarget) {
    await records.hintStart(stream, runNumber, {
      ...(isFirst && { firstNumber: first }),
      ...(isTarget && { targetDurationSeconds }),
    });
  }
  const hints = lines.map(({ number, seconds, programDateTimeMs }) => ({
    ...{ number, seconds },
    ...(programDateTimeMs !== undefined && { programDateTimeMs }),
  }));
  await records.hintSegments(stream, runNumber, hints);
  const firstLine = lines.find(({ number }) => number === run?.firstNumber);
  const atMs = firstLine?.programDateTimeMs;
  // A language is placed by the clock of its encoder, which the playlist tells behind the segment.
  if (stream.track === undefined || !run || atMs === undefined) return;
  await records.changeRun(stream, run.run, (before) =>
    before.anchorMs === atMs ? before : { ...before, anchorMs: atMs },
  );
}

/** The newest lines with their numbers; more of them if the ones before are not known yet. */
async function numberNewest(
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  run: Run | undefined,
  files: readonly ListedFile[],
): Promise<NumberedFile[]> {
  const newest = await numberLines(records, stream, session, run, files.slice(-NEWEST_LINES));
  const [oldest] = newest;
  const isKnown =
    oldest && (await records.segmentHint(stream, run?.run ?? 1, oldest.number)) !== undefined;
  if (files.length <= NEWEST_LINES || isKnown) return newest;
  return numberLines(records, stream, session, run, files.slice(-FIRST_LINES));
}

/** Gives numbers to names that have none yet. Lines whose place says no number are left out. */
async function numberLines(
  records: StreamRecords,
  stream: Stream,
  session: string | undefined,
  run: Run | undefined,
  files: readonly ListedFile[],
): Promise<NumberedFile[]> {
  const scope = session ?? '';
  for (let race = 0; race < MAX_RACES; race += 1) {
    const naming: Versioned<PushNaming> = await records.pushNaming(stream, scope);
    const before = naming.value;
    const known = await Promise.all(
      files.map(({ name }) => knownNumber(records, stream, scope, before, name)),
    );
    const isNew = known.every((number) => number === undefined);
    const isFirst = before.names.length === 0 && !run;
    const next =
      isNew && !isFirst ? await nextInOrder(records, stream, session, before.names) : undefined;
    const numbers = numbersByPlace(files, known, next);
    const lines = files.flatMap((file, index) => {
      const number = numbers[index];
      return number === undefined ? [] : [{ ...file, number }];
    });
    const named = lines
      .filter(({ name }) => known[files.findIndex((one) => one.name === name)] === undefined)
      .map(({ name, number }) => ({ name, number }));
    const listed = files
      .slice(-TELLING_LINES)
      .map(({ name, position }) => ({ name, number: position }));
    const isTelling =
      before.names.length < TELLING_NAMES ||
      (disproves(listed, before.names) && !disproves(before.listed, before.names));
    if (named.length === 0 && !isTelling) return lines;
    const value = { ...withNames(before, named), listed };
    if (await records.writePushNaming(stream, scope, { ...naming, value }, named)) return lines;
  }
  return [];
}

async function knownNumber(
  records: StreamRecords,
  stream: Stream,
  scope: string,
  { names, listed }: PushNaming,
  name: string,
): Promise<number | undefined> {
  const exact = sameFile(name, names);
  if (exact) return exact.number;
  const numbering = numberByName(name, names, listed);
  if (numbering.basis === 'counter') return numbering.number;
  return records.numberOfName(stream, scope, name);
}

async function keepBandwidths(
  records: StreamRecords,
  stream: Stream,
  file: PlaylistFile,
  { variants }: PushedMultivariantPlaylist,
): Promise<void> {
  const bandwidths = Object.fromEntries(
    variants
      .slice(0, MAX_BANDWIDTHS)
      .map(({ uri, bandwidth }) => [
        pushedName(uri, file.name).slice(0, MAX_NAME_BYTES),
        bandwidth,
      ]),
  );
  const { value } = await records.pushNaming(stream, file.session ?? '');
  if (JSON.stringify(value.bandwidths) === JSON.stringify(bandwidths)) return;
  await changeNaming(records, stream, file.session, (naming) => ({ ...naming, bandwidths }));
}
