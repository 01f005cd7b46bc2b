/** EventStreams of a Period: markers, each class a stream of its own (ISO/IEC 23009-1, 5.10.2). */

import { hash32 } from '../domain/hash.ts';
import type { Marker } from '../domain/markers/marker.ts';
import type { MarkerTag } from '../domain/markers/marker-log.ts';
import { type Period, periodAt, ticksAt } from '../domain/period.ts';
import { TICKS_PER_SECOND } from '../domain/ticks.ts';
import { element, textElement, type XmlLines } from './dash-xml.ts';

/** The message of an event is the marker's JSON as the API shows it; `value` of the stream is its class. */
export const MARKER_SCHEME = 'urn:rivulet:marker';

export type PeriodEvents = ReadonlyMap<Period, readonly MarkerTag[]>;

/** The markers by the period in which they begin. Of the tags of one range only the last counts. */
export function eventsByPeriod(
  periods: readonly Period[],
  tags: readonly MarkerTag[],
): PeriodEvents {
  const [first] = periods;
  const newest = new Map(tags.map((tag) => [tag.rangeId, tag]));
  const shown = [...newest.values()].filter(
    ({ marker: { endMs = Number.POSITIVE_INFINITY } }) =>
      first !== undefined && endMs >= first.programDateTimeMs,
  );
  const grouped = Map.groupBy(shown, ({ marker }) => periodAt(periods, marker.startMs));
  return new Map([...grouped].flatMap(([period, events]) => (period ? [[period, events]] : [])));
}

export function formatEventStreams(
  period: Period,
  events: readonly MarkerTag[],
  messageOf: (marker: Marker) => unknown,
): XmlLines {
  const byClass = Map.groupBy(events, ({ marker }) => marker.class);
  return [...byClass].flatMap(([value, tags]) =>
    element(
      'EventStream',
      {
        ...{ schemeIdUri: MARKER_SCHEME, value, timescale: TICKS_PER_SECOND },
        presentationTimeOffset: period.startTicks,
      },
      tags.map(({ rangeId, marker }) => {
        const { startMs, endMs } = marker;
        const presentationTime = Math.max(0, ticksAt(period, startMs));
        const duration =
          endMs === undefined ? undefined : Math.max(0, ticksAt(period, endMs) - presentationTime);
        // Players show an event once by its id, a number of 32 bits.
        const attributes = { presentationTime, duration, id: hash32(rangeId) };
        return textElement('Event', attributes, JSON.stringify(messageOf(marker)));
      }),
    ),
  );
}
