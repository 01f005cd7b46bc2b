/** Sound of a language that came when entries of its time were listed without it: the recording has it. */

import { withTrack } from '../../domain/languages/language-track.ts';
import { type LateArrival, separate } from '../../domain/recording.ts';
import { storedBytesOf } from '../../domain/segment.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import {
  type EntryRendition,
  isGap,
  storedBytes,
  type TimelineEntry,
  type TimelineState,
} from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { findSequenceAt } from '../records/timeline-search.ts';
import { isRemoved, removedRanges } from '../view/recorded-entries.ts';
import { type ComposedPiece, catalogueOf, Languages, piecesByName, zeroOf } from './languages.ts';
import { withLateRates } from './late-arrivals.ts';
import { storeObjects, withSilenceBefore } from './silence.ts';

const PAGE = 20;

type LateDeps = Pick<Deps, 'records' | 'media' | 'clock'>;

type Completed = Readonly<{ track: string; run: number; number: number }>;

type Span = Readonly<{ startMs: number; endMs: number }>;

/**
 * Counts a segment of the track as stored, composes the pieces of all entries again that it reaches into,
 * late ones included, and records those that differ from what is listed. Live playlists stay as they are.
 */
export async function recordLateLanguage(
  deps: LateDeps,
  stream: Stream,
  completed: Completed,
): Promise<void> {
  const { track, run, number } = completed;
  await countStored(deps, stream, completed);
  const languages = new Languages(deps, stream);
  const { value: state } = await deps.records.timeline(stream);
  const span = state.nextSequence > 0 && (await languages.source(track)?.spanOf(run, number));
  if (!span) return;
  await addToEntries(deps, stream, state, languages, track, span);
  if (state.lateArrivals > (state.latePieces ?? 0)) {
    await addToLateArrivals(deps, stream, languages, track, span);
  }
}

/** What was uploaded, and what a worker made of it: as long as there is a record of both. */
async function countStored(
  { records }: LateDeps,
  stream: Stream,
  { track: name, run, number }: Completed,
): Promise<void> {
  const track = withTrack(stream, name);
  for (;;) {
    const { value, version } = await records.timeline(stream);
    const outcome = await records.findOutcome(track, run, number);
    if (outcome?.type !== 'rendered' || (await records.isCounted(track, run, number))) return;
    const bytes = storedBytesOf(outcome);
    const state = { ...value, storedBytes: storedBytes(value) + bytes };
    const counted = { run, number, bytes };
    if (await records.recordCounted(stream, track, counted, state, version)) return;
  }
}

async function addToEntries(
  deps: LateDeps,
  stream: Stream,
  state: TimelineState,
  languages: Languages,
  track: string,
  span: Span,
): Promise<void> {
  const { records } = deps;
  const first = await findSequenceAt(records, stream, state.nextSequence, span.startMs);
  // By number of entries, not by sequence: removed ones leave holes.
  for (let from = first; from < state.nextSequence; ) {
    const entries = await records.entries(stream, from, state.nextSequence - 1, PAGE);
    from = entries.length < PAGE ? state.nextSequence : (entries.at(-1)?.sequence ?? from) + 1;
    for (const entry of entries) {
      if (entry.programDateTimeMs >= span.endMs) return;
      if (isGap(entry)) continue;
      const [made] = await languages.compose({ ...entry, zeroMs: zeroOf(entry) }, track);
      if (made && made.frames > 0) await recordPiece(deps, stream, entry, made);
    }
  }
}

async function recordPiece(
  deps: LateDeps,
  stream: Stream,
  entry: TimelineEntry,
  made: ComposedPiece,
): Promise<void> {
  const { records } = deps;
  const { sequence, startTicks, durationTicks } = entry;
  const { name, piece, objects } = made;
  for (;;) {
    const { value, version } = await records.timeline(stream);
    // What was removed meanwhile takes the stored piece with it.
    if (isRemoved(await removedRanges(records, stream, value.kept), entry)) return;
    const known = (await records.latePiece(stream, sequence, name))?.value;
    if (piece.key === (known?.piece ?? entry.renditions[name])?.key) return;
    await storeObjects(deps, objects);
    const written = await countedWith(deps, stream, value, { startTicks, durationTicks }, [made]);
    const replaced = known && [...(known.replaced ?? []), known.piece];
    const late = { sequence, rendition: name, piece, ...(replaced && { replaced }) };
    if (await records.recordLatePiece(stream, late, written, version)) return;
  }
}

/** The state with these pieces in its rates and in what is stored. */
async function countedWith(
  deps: LateDeps,
  stream: Stream,
  value: TimelineState,
  times: Pick<TimelineEntry, 'startTicks' | 'durationTicks'>,
  made: readonly ComposedPiece[],
): Promise<TimelineState> {
  const added = { ...times, renditions: piecesByName(made), catalogue: catalogueOf(made) };
  const counted = withLateRates(value, added);
  const run = await deps.records.getRun(stream, Math.max(1, value.run));
  // A language that nobody has been offered yet is silent up to here.
  const state = await withSilenceBefore(deps, stream, run ?? { audio: [] }, value, counted, []);
  const bytes = made.reduce((sum, { piece }) => sum + piece.sizeBytes, 0);
  return { ...state, storedBytes: storedBytes(value) + bytes };
}

async function addToLateArrivals(
  deps: LateDeps,
  stream: Stream,
  languages: Languages,
  track: string,
  span: Span,
): Promise<void> {
  const arrivals = await deps.records.lateArrivals(stream);
  for (const late of arrivals) {
    const zeroMs = zeroOf(late);
    for (const { startTicks, durationTicks, programDateTimeMs } of separate(late)) {
      const endMs = programDateTimeMs + ticksToMs(durationTicks);
      if (programDateTimeMs >= span.endMs || endMs <= span.startMs) continue;
      const { run, number } = late;
      const place = { run, number, startTicks, durationTicks, zeroMs };
      const [made] = await languages.compose(place, track);
      if (made && made.frames > 0) await replacePiece(deps, stream, place, made);
    }
  }
}

async function replacePiece(
  deps: LateDeps,
  stream: Stream,
  place: Readonly<{ run: number; number: number; startTicks: number; durationTicks: number }>,
  made: ComposedPiece,
): Promise<void> {
  const { records } = deps;
  const { run, number, startTicks } = place;
  for (;;) {
    const { value, version } = await records.timeline(stream);
    const found = await records.findLateArrival(stream, run, number);
    if (!found || isRemoved(await removedRanges(records, stream, value.kept), place)) return;
    const { value: late } = found;
    const before = separate(late).find((one) => one.startTicks === startTicks)?.renditions;
    const known = before?.[made.name];
    if (known?.key === made.piece.key) return;
    await storeObjects(deps, made.objects);
    const written = await countedWith(deps, stream, value, place, [made]);
    const changed = { ...withPiece(late, startTicks, made), ...(known && replacing(late, known)) };
    const next = { value: changed, version: found.version };
    if (await records.replaceLateArrival(stream, next, written, version)) return;
  }
}

const replacing = ({ replaced = [] }: LateArrival, known: EntryRendition) => ({
  replaced: [...replaced, known],
});

function withPiece(late: LateArrival, startTicks: number, made: ComposedPiece): LateArrival {
  const added = piecesByName([made]);
  const { pieces } = late;
  if (!pieces) return { ...late, renditions: { ...late.renditions, ...added } };
  return {
    ...late,
    pieces: pieces.map((piece) =>
      piece.startTicks === startTicks
        ? { ...piece, renditions: { ...piece.renditions, ...added } }
        : piece,
    ),
  };
}
