/** Sound of a language that came when entries of its time were listed without it: the recording has it. */

import type { Stream } from '../../domain/stream.ts';
import { isGap, storedBytes, type TimelineEntry } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { findSequenceAt } from '../records/timeline-search.ts';
import { isRemoved, removedRanges } from '../view/recorded-entries.ts';
import { type ComposedPiece, catalogueOf, Languages, piecesByName, zeroOf } from './languages.ts';
import { withLateRates } from './late-arrivals.ts';
import { storeObjects, withSilenceBefore } from './silence.ts';

const PAGE = 20;

type LateDeps = Pick<Deps, 'records' | 'media' | 'clock'>;

/**
 * Composes the pieces of all entries again that a segment of the track reaches into, and records those
 * that differ from what is listed. Live playlists stay as they are.
 */
export async function recordLateLanguage(
  deps: LateDeps,
  stream: Stream,
  { track, run, number }: Readonly<{ track: string; run: number; number: number }>,
): Promise<void> {
  const { records } = deps;
  const languages = new Languages(deps, stream);
  const { value: state } = await records.timeline(stream);
  const span = state.nextSequence > 0 && (await languages.source(track)?.spanOf(run, number));
  if (!span) return;
  const first = await findSequenceAt(records, stream, state.nextSequence, span.startMs);
  // By number of entries, not by sequence: removed ones leave holes.
  for (let from = first; from < state.nextSequence; ) {
    const entries = await records.entries(stream, from, state.nextSequence - 1, PAGE);
    const to = entries.length < PAGE ? state.nextSequence - 1 : (entries.at(-1)?.sequence ?? from);
    const late = await records.latePieces(stream, from, to);
    from = to + 1;
    for (const entry of entries) {
      if (entry.programDateTimeMs >= span.endMs) return;
      if (isGap(entry)) continue;
      const [made] = await languages.compose({ ...entry, zeroMs: zeroOf(entry) }, track);
      const listed = late.get(entry.sequence)?.[track] ?? entry.renditions[track];
      if (!made || made.frames === 0 || made.piece.key === listed?.key) continue;
      await storeObjects(deps, made.objects);
      await recordPiece(deps, stream, entry, made);
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
  const { name, piece } = made;
  for (;;) {
    const { value, version } = await records.timeline(stream);
    // What was removed meanwhile takes the stored piece with it.
    if (isRemoved(await removedRanges(records, stream, value.kept), entry)) return;
    const renditions = piecesByName([made]);
    const catalogue = catalogueOf([made]);
    const counted = withLateRates(value, { startTicks, durationTicks, renditions, catalogue });
    const run = await records.getRun(stream, Math.max(1, value.run));
    // A language that nobody has been offered yet is silent up to here.
    const state = await withSilenceBefore(deps, stream, run ?? { audio: [] }, value, counted, []);
    const written = { ...state, storedBytes: storedBytes(value) + piece.sizeBytes };
    const late = { sequence, rendition: name, piece };
    if (await records.recordLatePiece(stream, late, written, version)) return;
  }
}
