/** What callers with a key do with captions: each set of cues is recorded, and then shown by the publisher. */

import type { CueInput } from '../../api/captions.ts';
import {
  type CaptionTrack,
  type Cue,
  type CueSet,
  captionTrackName,
  weightOf,
} from '../../domain/captions/caption.ts';
import { DomainError } from '../../domain/errors.ts';
import { captionsKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import { knownSettings } from '../../media/captions/cue-times.ts';
import type { Deps, WorkerDeps } from '../deps.ts';
import { digestOf } from '../digest.ts';
import { sendPublish } from '../messages.ts';
import {
  type CueSetName,
  type CueSetRecord,
  findCueSet,
  writeCueSets,
} from '../records/caption-records.ts';
import { moveCues, placeFile, timesOfCue } from './caption-times.ts';

/** What pages and functions can keep in memory; removed cues count. */
const MAX_WEIGHT = 100_000;
const MAX_CHANGES = 50_000;
/** They stand in the timeline's state and in the multivariant playlist. */
const MAX_TRACKS = 50;
/** A set that is larger is an object: its record is written twice, and read with others. */
const MAX_INLINE_CHARACTERS = 8000;

export type CaptionFile = Readonly<{
  bytes: Uint8Array;
  /** A file of the same name, or a piece of the same number, takes the place of the one before. */
  set: string;
  /** Wall clock of the file's zero. */
  atMs?: number;
  session?: string;
  /** Without a map of its own: from the first segment of the run, as encoders that push count. */
  countsFromRun?: boolean;
}>;

/** `known`: how many of the sets were there before, with the same content. */
export type PutCaptions = Readonly<{ track: string; cues: number; isNew: boolean }>;

/** Throws `bad_captions`, `empty_body`, `not_started`, `too_many_captions`. */
export async function putCaptionFile(
  deps: Deps,
  stream: Stream,
  track: CaptionTrack,
  { bytes, set, ...times }: CaptionFile,
): Promise<PutCaptions> {
  const parsed = await deps.inspection.run('parseCaptions', stream.videoId, [bytes]);
  const { clock, shiftTicks } = await placeFile(deps, stream, parsed, times);
  const cues = moveCues(parsed.cues, shiftTicks);
  const content = { clock, ...(parsed.header && { header: parsed.header }), cues };
  return putCueSets(deps, stream, track, [{ set, content }]);
}

/** All of them or none. Throws `too_many_captions`. */
export async function putCueSets(
  deps: WorkerDeps,
  stream: Stream,
  track: CaptionTrack,
  sets: readonly Readonly<{ set: string; content: CueSet }>[],
): Promise<PutCaptions> {
  const isNew = await putSets(deps, stream, track, sets);
  const cues = sets.reduce((sum, { content }) => sum + content.cues.length, 0);
  return { track: captionTrackName(track), cues, isNew };
}

/** All of them or none. One that has the id of a known one takes its place. Throws `bad_request`. */
export async function putCues(
  deps: Deps,
  stream: Stream,
  track: CaptionTrack,
  inputs: readonly CueInput[],
): Promise<PutCaptions> {
  const sets = inputs.map((input) => {
    if (!('from' in input)) return { set: `cue/${input.id}` };
    const { clock, from, to } = timesOfCue(input);
    const settings = knownSettings((input.settings ?? '').split(/\s+/));
    const text = cueText(input.text);
    const cue: Cue = { from, to, text, ...(settings && { settings }) };
    const { id = digestOf(Buffer.from(JSON.stringify([clock, cue]))).slice(0, 20) } = input;
    return { set: `cue/${id}`, content: { clock, cues: [cue] } };
  });
  if (new Set(sets.map(({ set }) => set)).size < sets.length) {
    throw new DomainError(
      'bad_request',
      'Two cues of this call have the same id.',
      'Give each cue an id of its own, or none.',
    );
  }
  const isNew = await putSets(deps, stream, track, sets);
  return { track: captionTrackName(track), cues: sets.length, isNew };
}

/** Empty lines end a cue, and an arrow is the mark of its times. Throws `bad_request`. */
function cueText(given: string): string {
  const lines = given.replaceAll('\0', '\ufffd').split(/\r\n|\n|\r/);
  const text = lines.filter((line) => line.trim() !== '').join('\n');
  if (text !== '') return text.replaceAll('-->', '--&gt;');
  throw new DomainError(
    'bad_request',
    'A cue has no text.',
    'Send its text, or null to remove the cue.',
  );
}

type NewSet = Readonly<{ set: string; content?: CueSet }>;

/** Whether any was new or changed. */
async function putSets(
  deps: WorkerDeps,
  stream: Stream,
  track: CaptionTrack,
  sets: readonly NewSet[],
): Promise<boolean> {
  const name = captionTrackName(track);
  const names = sets.map(({ set }): CueSetName => ({ track: name, set }));
  await requireRoom(deps, stream, name, sets);
  const stored = await Promise.all(sets.map((set) => storeSet(deps, stream, track, set)));
  for (;;) {
    const found = await Promise.all(names.map((one) => findCueSet(deps, stream, one)));
    const fresh = stored.flatMap((record, index) => {
      const before = found[index];
      const one = names[index];
      const isGone = !before && record.content === undefined;
      if (!one || isGone || before?.value.digest === record.digest) return [];
      const { revision = 0, publishedRevision = 0 } = before?.value ?? {};
      const next = { ...record, revision: revision + 1, publishedRevision };
      return [{ name: one, record: next, version: before?.version ?? 0 }];
    });
    if (fresh.length > 0 && !(await writeCueSets(deps, stream, fresh))) continue;
    // Again also for known ones: the call before may have ended between the two.
    await show(deps, stream, names);
    return fresh.length > 0;
  }
}

async function storeSet(
  { media }: Pick<Deps, 'media'>,
  stream: Stream,
  track: CaptionTrack,
  { content }: NewSet,
): Promise<CueSetRecord> {
  const json = JSON.stringify(content ?? null);
  const bytes = Buffer.from(json);
  const digest = digestOf(Buffer.from(JSON.stringify([track, json])));
  const record = { track, digest, revision: 0, publishedRevision: 0 };
  if (!content) return { ...record, weight: 1 };
  const weight = 1 + weightOf(content);
  if (json.length <= MAX_INLINE_CHARACTERS) return { ...record, weight, content };
  const key = captionsKey(stream, digestOf(bytes));
  await media.put(key, bytes, 'application/json');
  return { ...record, weight, content: { key } };
}

/** A process that prints captions keeps all of a stream. Throws `too_many_captions`. */
async function requireRoom(
  { records }: Pick<Deps, 'records'>,
  stream: Stream,
  track: string,
  sets: readonly NewSet[],
): Promise<void> {
  const { captions } = (await records.timeline(stream)).value;
  const { weight = 0, version = 0, expiredChanges = 0, tracks = {} } = captions ?? {};
  const changes = version - expiredChanges;
  if (!tracks[track] && Object.keys(tracks).length >= MAX_TRACKS) {
    throw new DomainError(
      'too_many_captions',
      `Stream "${stream.videoId}" has ${MAX_TRACKS} tracks of captions, which is the most.`,
      'Remove one that nobody needs: DELETE /captions/{videoId}/{track}.',
    );
  }
  const more = sets.reduce((sum, { content }) => sum + (content ? weightOf(content) : 0), 0);
  if (weight + more <= MAX_WEIGHT && changes + sets.length <= MAX_CHANGES) return;
  throw new DomainError(
    'too_many_captions',
    `Stream "${stream.videoId}" has had ${weight} cues in ${changes} changes; ${MAX_WEIGHT} cues in ${MAX_CHANGES} changes are the most.`,
    'Send several cues in one piece, and only what is new.',
  );
}

const show = (deps: WorkerDeps, { videoId, uid }: Stream, captions: readonly CueSetName[]) =>
  sendPublish(deps, { videoId, uid, captions: [...captions] });
