/** Which markers have expired with a removal: of what they mark nothing is left. */

import type { Marker } from '../../../domain/markers/marker.ts';
import type { Removal } from '../../../domain/retention/kept.ts';
import { isMarkerKept } from '../../../domain/retention/retention.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { WorkerDeps } from '../../deps.ts';
import { findMarker, markerChanges, markerSorts } from '../../records/marker-records.ts';
import { partitionOf } from '../../records/record-keys.ts';

const PAGE = 500;

type Known = { marker?: Marker; versions: number[] };

/**
 * The records of expired markers, those of one in a row and its own last. The newest change of all stays, as it
 * says where the log ends.
 */
export async function expiredMarkers(
  deps: WorkerDeps,
  stream: Stream,
  { markerVersion = 0 }: TimelineState,
  { floor }: Removal,
): Promise<readonly Readonly<{ partition: string; sort: string; isChange: boolean }>[]> {
  const known = new Map<string, Known>();
  for (let from = 1; from <= markerVersion; ) {
    const page = await markerChanges(deps, stream, from, PAGE);
    for (const { id, version, marker } of page) {
      const { versions = [], ...before } = known.get(id) ?? {};
      known.set(id, { ...before, ...(marker && { marker }), versions: [...versions, version] });
    }
    from = page.length < PAGE ? markerVersion + 1 : (page.at(-1)?.version ?? markerVersion) + 1;
  }
  const nowMs = deps.clock.now();
  const partition = partitionOf(stream);
  const expired: { partition: string; sort: string; isChange: boolean }[] = [];
  for (const [id, { marker, versions }] of known) {
    const isOver =
      marker !== undefined &&
      !versions.includes(markerVersion) &&
      !isMarkerKept(
        { ...marker, endMs: marker.endMs ?? marker.startMs },
        stream.settings,
        floor.floorMs,
        nowMs,
      );
    if (!isOver) continue;
    const record = await findMarker(deps, stream, id);
    // A change is on its way to viewers.
    if (record && record.value.revision !== record.value.publishedRevision) continue;
    const sorts = markerSorts(id, versions);
    expired.push(
      ...sorts.map((sort, index) => ({ partition, sort, isChange: index < versions.length })),
    );
  }
  return expired;
}
