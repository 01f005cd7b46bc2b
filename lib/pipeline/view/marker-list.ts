/** The markers of a stream as JSON. */

import type { MarkerList, MarkerView } from '../../api/messages.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Marker, overlaps } from '../../domain/markers/marker.ts';
import type { MarkerLog } from '../../domain/markers/marker-log.ts';
import { isMarkerKept } from '../../domain/retention/retention.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { instantOf, parseTimestamp } from './moments.ts';

/** As the query gives them: a span in seconds of the stream or instants, a class, and a version. */
export type MarkerFilter = Readonly<{
  from?: string | undefined;
  to?: string | undefined;
  class?: string | undefined;
  since?: string | undefined;
}>;

/** All that overlap the span; with `since` those that changed. Throws `bad_request`. */
export async function listMarkers(
  deps: Pick<Deps, 'records' | 'clock'>,
  stream: Stream,
  state: TimelineState,
  log: MarkerLog,
  filter: MarkerFilter,
): Promise<MarkerList> {
  const atMs = async (text: string | undefined, otherwise: number): Promise<number> =>
    (text === undefined ? undefined : await instantOf(deps, stream, state, parseTimestamp(text))) ??
    otherwise;
  const fromMs = await atMs(filter.from, Number.NEGATIVE_INFINITY);
  const toMs = await atMs(filter.to, Number.POSITIVE_INFINITY);
  const news = filter.since === undefined ? undefined : log.since(parseVersion(filter.since));
  const { kept } = state;
  const markers = (news?.markers ?? log.markers()).filter(
    (marker) =>
      (!kept || isMarkerKept(marker, stream.settings, kept.floorMs, deps.clock.now())) &&
      overlaps(marker, fromMs, toMs) &&
      (filter.class === undefined || filter.class === marker.class),
  );
  const { version } = log;
  return {
    version,
    markers: markers.map(markerView),
    ...(news && { removed: news.removed }),
  };
}

export function markerView(marker: Marker): MarkerView {
  const { id, class: className, startMs, endMs, text, data } = marker;
  const rest = {
    ...{ id, class: className },
    ...(text !== undefined && { text }),
    ...(data !== undefined && { data }),
  };
  const start = new Date(startMs).toISOString();
  if (endMs === startMs) return { ...rest, at: start };
  return { ...rest, start, ...(endMs !== undefined && { end: new Date(endMs).toISOString() }) };
}

function parseVersion(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new DomainError(
    'bad_request',
    `"${text}" is not a version.`,
    'Send the version of the answer before: ?since=12; leave it out for all markers.',
  );
}
