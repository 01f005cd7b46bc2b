/**
 * Makes the file of a clip: exact to the frame at its ends, with all languages and captions. What lies between
 * is copied as it is; a gap is left out. A recording is a clip without bounds.
 */

import { nothingThere } from '../../domain/clip.ts';
import { DomainError } from '../../domain/errors.ts';
import { UNDETERMINED } from '../../domain/languages/language.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { silenceKey } from '../../domain/object-keys.ts';
import {
  type AudioRendition,
  type CaptionRendition,
  pieceLister,
  presentationOf,
} from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import { type EntryRendition, isGap, type TimelineState } from '../../domain/timeline.ts';
import type { MovieCue } from '../../media/clip/clip-captions.ts';
import { ClipMovie, type CmafPiece, makeWorkFolder } from '../../media/clip/clip-movie.ts';
import { type PictureTarget, pictureTarget } from '../../media/clip/clip-picture.ts';
import type { SoundFormat } from '../../media/clip/clip-sound.ts';
import { readInit } from '../../media/clip/init-parameters.ts';
import { plainText } from '../../playlist/webvtt.ts';
import type { WorkerDeps } from '../deps.ts';
import { CaptionLogs } from '../view/captions/caption-logs.ts';
import { recordedCues } from '../view/captions/recorded-captions.ts';
import { clipEntries } from '../view/clips/clip-entries.ts';
import type { ClipJob } from './clip.ts';
import type { MadeFile, ReportProgress } from './file-job.ts';
import type { JobContext } from './job-kind.ts';
import { makeRoom } from './saved-files.ts';

/** Eight hours at 4.5 Mbit/s: what the disk of a worker holds. */
const MAX_FILE_BYTES = 16_000_000_000;
/** Reports of progress are writes. */
const REPORTS = 50;

type Listing = Readonly<{
  stream: Stream;
  state: TimelineState;
  job: ClipJob;
  audio: readonly AudioRendition[];
  captions: readonly CaptionRendition[];
}>;

/** What one reading of the entries finds out: which init segments the pieces have, and how large they are. */
type Survey = Readonly<{
  /** Those that most of the clip has: of its video, and of each track of sound that has any. */
  videoInit: string | undefined;
  audioInits: readonly (string | undefined)[];
  /** A part of an entry, or a piece with another init segment, is encoded. */
  encodes: boolean;
  durationTicks: number;
}>;

/** Throws DomainError `moment_not_found` and `too_large`. */
export async function makeClip(
  deps: WorkerDeps,
  stream: Stream,
  job: ClipJob,
  context: JobContext,
  report: ReportProgress,
): Promise<MadeFile> {
  await makeRoom(deps, stream);
  const { value: state } = await deps.records.timeline(stream);
  const { audio, captions } = presentationOf(state);
  const listing = { stream, state, job, audio, captions };
  const survey = await surveyClip(deps, listing);
  const folder = await makeWorkFolder(context.workFolder);
  try {
    const paths = await writeMovie(
      deps,
      listing,
      survey,
      { ...context, folder: folder.path },
      report,
    );
    return { paths, contentType: MEDIA_FORMATS.mp4.contentType, remove: folder.remove };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function writeMovie(
  deps: WorkerDeps,
  listing: Listing,
  survey: Survey,
  encoding: JobContext & Readonly<{ folder: string }>,
  report: ReportProgress,
): Promise<readonly string[]> {
  const { stream, state, job, captions } = listing;
  const target = await targetOf(deps, listing, survey, encoding);
  const sound = await soundOf(deps, listing, survey);
  const tracks = captions.map(({ language = UNDETERMINED, ...track }) => ({ language, ...track }));
  const options = { target, sound: sound.formats, captions: tracks, ...encoding };
  const movie = await ClipMovie.create(options);
  const cuesOf = cueReader(deps, listing);
  const lists = pieceLists(listing);
  const { framesPerSecond } = ratesOf(listing);
  try {
    let reported = 0;
    for await (const { entry, fromTicks, toTicks } of clipEntries(deps, stream, state, job)) {
      encoding.signal.throwIfAborted();
      if (isGap(entry)) continue;
      const [video, ...audio] = await Promise.all([
        readPiece(deps, lists.video?.(entry).piece),
        ...sound.indexes.map((index) => readPiece(deps, lists.audio[index]?.(entry).piece)),
      ]);
      const cues = await Promise.all(captions.map(({ name }) => cuesOf(entry, name)));
      const part = { fromTicks, toTicks, video, framesPerSecond, audio, captions: cues };
      await movie.add(part);
      const share = movie.endTicks / survey.durationTicks;
      if (share < reported + 1 / REPORTS) continue;
      reported = share;
      await report(Math.min(1, share));
    }
    if (movie.endTicks === 0) throw nothingThere(state);
    return await movie.finish();
  } finally {
    await movie.close();
  }
}

/** What each track of captions shows during an entry, as of the version that the job names. */
function cueReader(deps: WorkerDeps, { stream, state, job }: Listing) {
  const logs = new CaptionLogs(deps);
  const version = job.captionsVersion ?? 0;
  return async (entry: RecordedEntry, track: string): Promise<MovieCue[]> => {
    const cues = await recordedCues(deps, logs, stream, state, entry, { track, version });
    return cues.map(({ from, to, text }) => ({ from, to, text: plainText(text) }));
  };
}

function pieceLists({ stream, state, job, audio }: Listing) {
  const keyOf = (name: string, sequence: number): string => silenceKey(stream, name, sequence);
  const listOf = (name: string) => pieceLister(state, name, keyOf);
  return {
    video: job.resolution === undefined ? undefined : listOf(job.resolution),
    audio: audio.map(({ name }) => listOf(name)),
  };
}

async function surveyClip(deps: WorkerDeps, listing: Listing): Promise<Survey> {
  const { stream, state, job } = listing;
  const lists = pieceLists(listing);
  const videoTicks: Ticks = new Map();
  const audioTicks = lists.audio.map((): Ticks => new Map());
  let [sizeBytes, durationTicks, isCut] = [0, 0, false];
  for await (const { entry, fromTicks, toTicks } of clipEntries(deps, stream, state, job)) {
    const video = lists.video?.(entry).piece;
    const ticks = toTicks - fromTicks;
    durationTicks += isGap(entry) ? 0 : ticks;
    isCut ||= ticks < entry.durationTicks;
    count(videoTicks, video, ticks);
    const pieces = lists.audio.map((list) => list(entry).piece);
    for (const [index, one] of audioTicks.entries()) count(one, pieces[index], ticks);
    sizeBytes += [video, ...pieces].reduce((sum, piece) => sum + (piece?.sizeBytes ?? 0), 0);
  }
  if (durationTicks === 0) throw nothingThere(state);
  if (sizeBytes > MAX_FILE_BYTES) throw tooLarge(sizeBytes);
  const encodes = isCut || videoTicks.size > 1;
  return {
    videoInit: mostOf(videoTicks),
    audioInits: audioTicks.map(mostOf),
    encodes,
    durationTicks,
  };
}

/** How long pieces of each init segment last. */
type Ticks = Map<string, number>;

function count(ticks: Ticks, piece: EntryRendition | undefined, more: number): void {
  if (piece) ticks.set(piece.initKey, (ticks.get(piece.initKey) ?? 0) + more);
}

const mostOf = (ticks: Ticks): string | undefined =>
  [...ticks].toSorted(([, a], [, b]) => b - a)[0]?.[0];

const tooLarge = (sizeBytes: number): DomainError =>
  new DomainError(
    'too_large',
    `The file would have ${(sizeBytes / 1e9).toFixed(1)} GB; up to ${MAX_FILE_BYTES / 1e9} are made.`,
    'Ask for a lower resolution, or for the recording in several clips.',
  );

/** Of the rendition as the stream declares it. */
function ratesOf({
  state,
  job,
}: Listing): Readonly<{ framesPerSecond: number; maxrateBps?: number | undefined }> {
  const info = job.resolution === undefined ? undefined : state.renditions[job.resolution]?.info;
  return info?.kind === 'video' ? info : { framesPerSecond: 30 };
}

async function targetOf(
  deps: WorkerDeps,
  listing: Listing,
  { videoInit, encodes }: Survey,
  encoding: Parameters<typeof pictureTarget>[3],
): Promise<PictureTarget | undefined> {
  if (videoInit === undefined) return undefined;
  const init = await readObject(deps, videoInit);
  return pictureTarget(init, ratesOf(listing), encodes, encoding);
}

/** Tracks that the clip has anything of; `indexes`: in the presentation's list. */
async function soundOf(
  deps: WorkerDeps,
  { audio, state }: Listing,
  { audioInits }: Survey,
): Promise<Readonly<{ formats: readonly SoundFormat[]; indexes: readonly number[] }>> {
  const indexes = audio.flatMap((_, index) => (audioInits[index] === undefined ? [] : [index]));
  const formats = await Promise.all(
    indexes.map(async (index, order): Promise<SoundFormat> => {
      const { name, language = UNDETERMINED } = audio[index] ?? { name: '' };
      const info = state.renditions[name]?.info;
      const channels = info?.kind === 'audio' ? info.channels : 2;
      const init = await readObject(deps, audioInits[index] ?? '');
      return { parameters: readInit(init, 'audio'), channels, language, isDefault: order === 0 };
    }),
  );
  return { formats, indexes };
}

async function readPiece(
  deps: Pick<WorkerDeps, 'media'>,
  piece: EntryRendition | undefined,
): Promise<CmafPiece | undefined> {
  if (!piece) return undefined;
  const [init, media] = await Promise.all([
    readObject(deps, piece.initKey),
    readObject(deps, piece.key),
  ]);
  return { init, media };
}

async function readObject({ media }: Pick<WorkerDeps, 'media'>, key: string): Promise<Uint8Array> {
  const bytes = await media.get(key);
  if (bytes) return bytes;
  throw new Error(`An object of a clip is not there: ${key}`);
}
