/** What callers with a key do with markers: each change is recorded, and then shown by the publisher. */

import { randomBytes } from 'node:crypto';
import type { MarkerChangeInput, MarkerInput } from '../../api/markers.ts';
import { DomainError } from '../../domain/errors.ts';
import { isSameMarker, type Marker, type MarkerRecord } from '../../domain/markers/marker.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import { sendPublish } from '../messages.ts';
import { findMarker, writeMarkers } from '../records/marker-records.ts';
import type { Versioned } from '../records/record-types.ts';
import { checkOrder, wallClockOf } from './marker-times.ts';

type Parts = Pick<Deps, 'records' | 'store' | 'queues' | 'clock'>;

/** What playlists and pages can bear. Removed ones count, and those that have expired do not. */
export const MAX_MARKERS = 10_000;

export type PutMarkers = Readonly<{
  /** In the order of the call. */
  markers: readonly Marker[];
  /** How many of them were there before. */
  known: number;
}>;

/**
 * All of them or none. One that is there already, with the same content, changes nothing. Throws
 * `marker_conflict` for an id that has other content or was removed, and `too_many_markers`.
 */
export async function putMarkers(
  deps: Parts,
  stream: Stream,
  inputs: readonly MarkerInput[],
): Promise<PutMarkers> {
  const { value: state } = await deps.records.timeline(stream);
  const markers: Marker[] = [];
  for (const input of inputs) {
    const { startMs = 0, endMs } = await wallClockOf(deps, stream, state, input);
    checkOrder(startMs, endMs);
    const { id = madeId(), class: className = 'marker', text, data } = input;
    markers.push(withoutUndefined({ id, class: className, startMs, endMs, text, data }));
  }
  checkIds(markers);
  for (;;) {
    const found = await Promise.all(markers.map(({ id }) => findMarker(deps, stream, id)));
    const fresh = markers.filter((marker, index) => !isThere(marker, found[index]));
    const { markerVersion = 0, expiredChanges = 0 } = state;
    if (markerVersion - expiredChanges + fresh.length > MAX_MARKERS) throw tooMany(stream);
    const records = fresh.map((marker) => {
      const record: MarkerRecord = { marker, revision: 1, publishedRevision: 0 };
      return { id: marker.id, record, version: 0 };
    });
    if (records.length > 0 && !(await writeMarkers(deps, stream, records))) continue;
    // Again also for known ones: the call before may have ended between the two.
    await show(deps, stream, markers);
    return { markers, known: markers.length - fresh.length };
  }
}

/** Throws `marker_not_found`, `bad_request`. */
export async function changeMarker(
  deps: Parts,
  stream: Stream,
  id: string,
  change: MarkerChangeInput,
): Promise<Marker> {
  const { value: state } = await deps.records.timeline(stream);
  const { end, ...others } = change;
  const times = await wallClockOf(deps, stream, state, { ...others, ...(end ? { end } : {}) });
  return edit(deps, stream, id, (before) => {
    const marker = withoutUndefined({
      ...before,
      ...times,
      ...(end === null && { endMs: undefined }),
      ...(change.class !== undefined && { class: change.class }),
      ...(change.text !== undefined && { text: change.text ?? undefined }),
      ...(change.data !== undefined && { data: change.data ?? undefined }),
    });
    checkOrder(marker.startMs, marker.endMs);
    return marker;
  });
}

/** Removed: also when it was before. Throws `marker_not_found`. */
export async function removeMarker(deps: Parts, stream: Stream, id: string): Promise<void> {
  await edit(deps, stream, id, () => undefined);
}

async function edit<Next extends Marker | undefined>(
  deps: Parts,
  stream: Stream,
  id: string,
  change: (before: Marker) => Next,
): Promise<Next> {
  for (;;) {
    const found = await findMarker(deps, stream, id);
    const before = found?.value.marker;
    if (!found || !before) throw notFound(stream, id);
    const marker = change(before);
    if (!marker || !isSameMarker(before, marker)) {
      const record = { ...found.value, marker, revision: found.value.revision + 1 };
      const { version } = found;
      if (!(await writeMarkers(deps, stream, [{ id, record, version }]))) continue;
    }
    await show(deps, stream, [before]);
    return marker;
  }
}

const show = (deps: Parts, { videoId, uid }: Stream, markers: readonly Marker[]): Promise<void> =>
  sendPublish(deps, { videoId, uid, markers: markers.map(({ id }) => id) });

function isThere(marker: Marker, found: Versioned<MarkerRecord> | undefined): boolean {
  if (!found) return false;
  const { marker: known } = found.value;
  if (known && isSameMarker(known, marker)) return true;
  throw new DomainError(
    'marker_conflict',
    known
      ? `The stream has another marker "${marker.id}".`
      : `Marker "${marker.id}" was removed, and its id is not used again.`,
    known ? 'Change it with PATCH, or choose another id.' : 'Choose another id.',
  );
}

function checkIds(markers: readonly Marker[]): void {
  const ids = new Set(markers.map(({ id }) => id));
  if (ids.size === markers.length) return;
  throw new DomainError(
    'bad_request',
    'Two markers of this call have the same id.',
    'Give each marker an id of its own, or none.',
  );
}

const madeId = (): string => randomBytes(10).toString('hex');

const withoutUndefined = (marker: Marker): Marker =>
  Object.fromEntries(
    Object.entries(marker).filter(([, value]) => value !== undefined),
  ) as unknown as Marker;

const tooMany = ({ videoId }: Stream): DomainError =>
  new DomainError(
    'too_many_markers',
    `Stream "${videoId}" has had ${MAX_MARKERS} changes of its markers, which is the most.`,
    'Send fewer: one for an event rather than one for a frame.',
  );

const notFound = ({ videoId }: Stream, id: string): DomainError =>
  new DomainError(
    'marker_not_found',
    `Stream "${videoId}" has no marker "${id}".`,
    'GET /markers/{videoId} lists those that it has.',
  );
