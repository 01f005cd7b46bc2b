/** Segments whose place live playlists have passed: only the recording has them. */

import type { LateArrival } from '../../domain/recording.ts';
import { isBelowFloor } from '../../domain/retention/kept.ts';
import { type RenderedOutcome, type RenderedPiece, storedBytesOf } from '../../domain/segment.ts';
import { DEFAULT_TARGET_SECONDS, type Stream } from '../../domain/stream.ts';
import { TICKS_PER_SECOND, ticksToMs } from '../../domain/ticks.ts';
import { type SizeTotals, storedBytes, type TimelineState } from '../../domain/timeline.ts';
import { totalsWith, withThumbnails } from '../../domain/timeline-draft.ts';
import type { Deps } from '../deps.ts';
import { findListed } from '../records/timeline-search.ts';
import { Languages, piecesByName } from './languages.ts';
import { storeObjects } from './silence.ts';

export const isBehind = (
  state: TimelineState,
  { run, number }: Readonly<{ run: number; number: number }>,
): boolean =>
  run < state.run ||
  (run === state.run && state.nextNumber !== undefined && number < state.nextNumber);

/**
 * Live playlists stay as they are, the recording shows the segment in its place. One that they list
 * already is left alone: its job was done twice.
 */
export async function recordLateArrival(
  deps: Pick<Deps, 'records' | 'media' | 'clock'>,
  stream: Stream,
  completed: Readonly<{ run: number; number: number }>,
): Promise<void> {
  const { records } = deps;
  const [outcome, run] = await Promise.all([
    records.findOutcome(stream, completed.run, completed.number),
    records.getRun(stream, completed.run),
  ]);
  if (outcome?.type !== 'rendered' || !run) return;
  const { number, startTicks, durationTicks, renditions, pieces, thumbnails } = outcome;
  const countedMs = run.anchorMs + ticksToMs(startTicks - run.anchorTicks);
  const programDateTimeMs = outcome.programDateTimeMs ?? countedMs;
  const zeroMs = programDateTimeMs - ticksToMs(startTicks);
  const languages = stream.languages && new Languages(deps, stream);
  for (;;) {
    const { value, version } = await records.timeline(stream);
    const listed =
      (await findListed(records, stream, value.nextSequence, completed)) ??
      (await records.findLateArrival(stream, completed.run, completed.number));
    if (listed) return;
    const bytes = storedBytes(value) + storedBytesOf(outcome);
    if (isBelowFloor(value, completed)) {
      // Expired while it was transcoded: its objects go with the others of its time.
      const state = { ...value, storedBytes: bytes };
      if (await records.appendEntries(stream, [], state, version)) return;
      continue;
    }
    let languageBytes = 0;
    const withLanguages = async (piece: RenderedPiece): Promise<RenderedPiece> => {
      const place = { run: run.run, number, ...piece, zeroMs };
      const composed = (await languages?.compose(place)) ?? [];
      const known = composed.filter(({ name }) => value.renditions[name]);
      await storeObjects(
        deps,
        known.flatMap(({ objects }) => objects),
      );
      languageBytes += known.reduce((sum, { piece }) => sum + piece.sizeBytes, 0);
      return { ...piece, renditions: { ...piece.renditions, ...piecesByName(known) } };
    };
    const late: LateArrival = {
      ...{ run: run.run, number, startTicks, durationTicks, programDateTimeMs },
      ...(pieces
        ? { renditions, pieces: await Promise.all(pieces.map(withLanguages)) }
        : { renditions: (await withLanguages(outcome)).renditions }),
      ...(thumbnails && { thumbnails }),
    };
    const state = { ...withLateRates(value, outcome), storedBytes: bytes + languageBytes };
    if (await records.recordLateArrival(stream, late, state, version)) return;
  }
}

/** What the recording lists counts in its rates, but not as a neighbour of the newest segments. */
export function withLateRates(
  state: TimelineState,
  outcome: Pick<
    RenderedOutcome,
    'startTicks' | 'durationTicks' | 'renditions' | 'pieces' | 'catalogue'
  >,
): TimelineState {
  const targetTicks = TICKS_PER_SECOND * (state.targetDurationSeconds ?? DEFAULT_TARGET_SECONDS);
  let counted = state;
  for (const piece of outcome.pieces ?? [outcome]) {
    const { renditions, durationTicks } = piece;
    const { catalogue } = outcome;
    const totals = totalsWith(counted, renditions, catalogue, durationTicks, targetTicks);
    counted = withThumbnails({ ...counted, renditions: totals }, piece, targetTicks);
  }
  const kept = Object.entries(counted.renditions).map(([name, totals]) => {
    const before = state.renditions[name];
    const { initKey = totals.initKey, newest = [], endTicks } = before ?? {};
    const { endTicks: _, keyframes, ...rest } = totals;
    const trickPlay = keyframes && { keyframes: withNewestOf(before?.keyframes, keyframes) };
    const end = endTicks === undefined ? {} : { endTicks };
    return [name, { ...rest, initKey, newest, ...trickPlay, ...end }];
  });
  const { thumbnails } = counted;
  return {
    ...counted,
    renditions: Object.fromEntries(kept),
    ...(thumbnails && { thumbnails: withNewestOf(state.thumbnails, thumbnails) }),
  };
}

const withNewestOf = <Totals extends SizeTotals>(
  before: SizeTotals | undefined,
  totals: Totals,
): Totals => ({ ...totals, newest: before?.newest ?? [] });
