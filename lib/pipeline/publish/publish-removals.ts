/** Takes removals that the job of retention has planned, cancelled or completed into the timeline's state. */

import {
  type Removal,
  withoutCancelled,
  withoutPurged,
  withRemoval,
} from '../../domain/retention/kept.ts';
import type { Stream } from '../../domain/stream.ts';
import { isEndShown, storedBytes, type TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { writeKept } from '../records/removal-records.ts';

/** Of one write, which takes a hundred items. */
const MAX_DROPPED = 50;

/** All that are recorded. Returns the state with them. */
export async function publishRemovals(
  deps: Pick<Deps, 'records' | 'store' | 'clock'>,
  stream: Stream,
): Promise<TimelineState> {
  for (;;) {
    const { value: before, version } = await deps.records.timeline(stream);
    const removals = await deps.records.removals(stream);
    const nowMs = deps.clock.now();
    const changed = removals.filter((removal) => isNew(before, removal)).slice(0, MAX_DROPPED);
    if (changed.length === 0) return before;
    const state = changed.reduce((sum, removal) => changedBy(sum, removal, nowMs), before);
    const dropped = changed.filter(({ status }) => status !== 'planned');
    if (await writeKept(deps, stream, state, version, dropped)) return state;
  }
}

const isPending = ({ kept }: TimelineState, removal: Removal): boolean =>
  kept?.removals.some(({ id }) => id === removal.id) ?? false;

const isNew = (state: TimelineState, removal: Removal): boolean =>
  removal.status !== 'planned' || !isPending(state, removal);

function changedBy(state: TimelineState, removal: Removal, nowMs: number): TimelineState {
  const { kept } = state;
  if (removal.status === 'planned') return withFloor(state, removal, nowMs);
  if (!kept || !isPending(state, removal)) return state;
  if (removal.status === 'cancelled') {
    const lateArrivals = state.lateArrivals + removal.lateArrivals;
    return { ...state, lateArrivals, kept: withoutCancelled(kept, removal) };
  }
  const bytes = Math.max(0, storedBytes(state) - removal.purgedBytes);
  const expiredChanges = (state.expiredChanges ?? 0) + removal.purgedChanges;
  return {
    ...state,
    ...withoutCaptions(state, removal),
    storedBytes: bytes,
    kept: withoutPurged(kept, removal),
    ...(expiredChanges > 0 && { expiredChanges }),
  };
}

/** They count in the stream's limits no more. */
function withoutCaptions(
  { captions }: TimelineState,
  { purgedCaptions }: Removal,
): Pick<TimelineState, 'captions'> {
  if (!captions || !purgedCaptions) return {};
  const { changes, weight } = purgedCaptions;
  return {
    captions: {
      ...captions,
      weight: Math.max(0, captions.weight - weight),
      expiredChanges: (captions.expiredChanges ?? 0) + changes,
    },
  };
}

/**
 * Live playlists that go on begin at the floor from now on; those that have ended stay as they are
 * (RFC 8216bis, 6.2.1), and those of the type EVENT were left alone.
 */
function withFloor(state: TimelineState, removal: Removal, nowMs: number): TimelineState {
  const kept = withRemoval(state.kept, removal, nowMs);
  const goesOn = !isEndShown(state, nowMs) && !state.isEvent;
  const firstListedSequence = Math.max(state.firstListedSequence, kept.floorSequence);
  const { poster, ...rest } = state;
  return {
    ...rest,
    ...(kept.first && poster !== undefined && { poster }),
    kept,
    lateArrivals: Math.max(0, state.lateArrivals - removal.lateArrivals),
    ...(goesOn && { firstListedSequence }),
  };
}
