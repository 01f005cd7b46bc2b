/** Addresses of a stream's lists: retention gives recordings other ones, as playlists that have ended never change. */

import type { Stream } from '../../domain/stream.ts';
import { currentBroadcast, type TimelineState } from '../../domain/timeline.ts';
import type { StoredRecording } from '../records/record-types.ts';
import { expired } from './expired.ts';

/** A list that is not served any more; `query`: of the address of the one in its place. */
export class PlaylistMoved extends Error {
  override readonly name = 'PlaylistMoved';
  readonly query: string;

  constructor(query: string) {
    super(`The playlist has the query "${query}" now.`);
    this.query = query;
  }
}

/** Of what viewers are shown: a long recording is behind until it is stored anew. */
export const keptVersionOf = (
  found: StoredRecording | undefined,
  { kept }: TimelineState,
): number => (found ? (found.keptVersion ?? 0) : (kept?.version ?? 0));

export function recordingQuery(found: StoredRecording | undefined, state: TimelineState): string {
  const version = keptVersionOf(found, state);
  return version > 0 ? `?view=vod&kept=${version}` : '?view=vod';
}

export function liveQuery(state: TimelineState): string {
  const broadcast = currentBroadcast(state);
  return broadcast > 1 ? `?broadcast=${broadcast}` : '';
}

/** Throws `expired` if nothing is left. */
export function requireSomething(stream: Stream, { kept }: TimelineState): void {
  if (kept && !kept.first) throw expired(stream, kept);
}
