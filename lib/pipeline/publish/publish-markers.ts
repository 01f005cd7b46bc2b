/** Shows new revisions of markers to viewers: numbered in the timeline's state, whose only writer is the publisher. */

import { type MarkerRecord, rangeIdOf } from '../../domain/markers/marker.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import {
  findMarker,
  MAX_PUBLISHED_MARKERS,
  type PublishedMarker,
  publishChanges,
} from '../records/marker-records.ts';
import type { Versioned } from '../records/record-types.ts';

/** Of these markers, those whose newest revision is not shown yet. */
export async function publishMarkers(
  deps: Pick<Deps, 'records' | 'store'>,
  stream: Stream,
  ids: readonly string[],
): Promise<void> {
  for (let from = 0; from < ids.length; from += MAX_PUBLISHED_MARKERS) {
    const some = ids.slice(from, from + MAX_PUBLISHED_MARKERS);
    while (!(await publishSome(deps, stream, some)));
  }
}

async function publishSome(
  deps: Pick<Deps, 'records' | 'store'>,
  stream: Stream,
  ids: readonly string[],
): Promise<boolean> {
  const timeline = await deps.records.timeline(stream);
  const found = await Promise.all(ids.map((id) => findMarker(deps, stream, id)));
  const { markerVersion = 0 } = timeline.value;
  const published = ids
    .flatMap((id, index): [string, Versioned<MarkerRecord>][] => {
      const one = found[index];
      return one && one.value.revision > one.value.publishedRevision ? [[id, one]] : [];
    })
    .map(([id, one], index) => changeOf(id, one, timeline.value, markerVersion + index + 1));
  if (published.length === 0) return true;
  const value = { ...timeline.value, markerVersion: markerVersion + published.length };
  return publishChanges(deps, stream, published, { value, version: timeline.version });
}

function changeOf(
  id: string,
  { value, version }: Versioned<MarkerRecord>,
  { nextSequence }: TimelineState,
  changeVersion: number,
): PublishedMarker {
  const { marker, revision, published: before } = value;
  const rangeId = marker ? rangeIdOf(marker, revision, before) : (before?.rangeId ?? id);
  const { published: _, ...rest } = value;
  return {
    id,
    version,
    record: {
      ...rest,
      publishedRevision: revision,
      ...(marker && { published: { rangeId, marker } }),
    },
    change: {
      ...{ version: changeVersion, sequence: nextSequence, id, rangeId },
      ...(marker && { marker }),
    },
  };
}
