/** Segments whose place live playlists have passed: only the recording has them. */

import type { LateArrival } from '../../domain/recording.ts';
import { type RenderedOutcome, type RenderedPiece, storedBytesOf } from '../../domain/segment.ts';
import { DEFAULT_TARGET_SECONDS, type Stream } from '../../domain/stream.ts';
import { TICKS_PER_SECOND, ticksToMs } from '../../domain/ticks.ts';
import { storedBytes, type TimelineState } from '../../domain/timeline.ts';
import { totalsWith } from '../../domain/timeline-draft.ts';
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
  const { number, startTicks, durationTicks, renditions, pieces } = outcome;
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
    const withLanguages = async (piece: RenderedPiece): Promise<RenderedPiece> => {
      const place = { run: run.run, number, ...piece, zeroMs };
      const composed = (await languages?.compose(place)) ?? [];
      const known = composed.filter(({ name }) => value.renditions[name]);
      await storeObjects(
        deps,
        known.flatMap(({ objects }) => objects),
      );
      return { ...piece, renditions: { ...piece.renditions, ...piecesByName(known) } };
    };
    const late: LateArrival = {
      ...{ run: run.run, number, startTicks, durationTicks, programDateTimeMs },
      ...(pieces
        ? { renditions, pieces: await Promise.all(pieces.map(withLanguages)) }
        : { renditions: (await withLanguages(outcome)).renditions }),
    };
    const state = {
      ...withLateRates(value, outcome),
      storedBytes: storedBytes(value) + storedBytesOf(outcome),
    };
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
  let { renditions } = state;
  for (const piece of outcome.pieces ?? [outcome]) {
    const { catalogue } = outcome;
    renditions = totalsWith(
      { renditions },
      piece.renditions,
      catalogue,
      piece.durationTicks,
      targetTicks,
    );
  }
  const kept = Object.entries(renditions).map(([name, totals]) => {
    const { initKey = totals.initKey, newest = [], endTicks } = state.renditions[name] ?? {};
    const { endTicks: _, ...rest } = totals;
    return [name, { ...rest, initKey, newest, ...(endTicks === undefined ? {} : { endTicks }) }];
  });
  return { ...state, renditions: Object.fromEntries(kept) };
}
