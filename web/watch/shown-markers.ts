/** The markers of a stream as the page knows them: applies what the server says is new. Pure. */

import type { MarkerList, MarkerView } from '../../lib/api/messages.ts';

export type ShownMarker = Readonly<{
  id: string;
  class: string;
  startMs: number;
  /** undefined: it has not ended. */
  endMs: number | undefined;
  text: string;
}>;

export type ShownMarkers = Readonly<{
  version: number;
  /** By start. */
  markers: readonly ShownMarker[];
}>;

export const NO_MARKERS: ShownMarkers = { version: 0, markers: [] };

export function withNews(before: ShownMarkers, news: MarkerList): ShownMarkers {
  if (news.version === before.version) return before;
  const gone = new Set([...(news.removed ?? []), ...news.markers.map(({ id }) => id)]);
  const kept = before.markers.filter(({ id }) => !gone.has(id));
  const markers = [...kept, ...news.markers.map(shown)].sort(
    (a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1),
  );
  return { version: news.version, markers };
}

function shown({ id, class: className, at, start, end, text = '' }: MarkerView): ShownMarker {
  const startMs = Date.parse(at ?? start ?? '');
  const endMs = at !== undefined ? startMs : end === undefined ? undefined : Date.parse(end);
  return { id, class: className, startMs, endMs, text };
}

/** Each once, in alphabetical order. */
export const classesOf = ({ markers }: ShownMarkers): readonly string[] =>
  [...new Set(markers.map((marker) => marker.class))].sort();

/** The newest that has begun; undefined before the first. */
export const currentMarker = (
  markers: readonly ShownMarker[],
  shownAtMs: number | undefined,
): ShownMarker | undefined =>
  shownAtMs === undefined ? undefined : markers.findLast(({ startMs }) => startMs <= shownAtMs);

const HUES = [172, 28, 265, 205, 340, 95, 48, 300] as const;

/** A colour of its own for each of the first eight classes. */
export const hueOf = (className: string, classes: readonly string[]): number =>
  HUES[Math.max(0, classes.indexOf(className)) % HUES.length] ?? HUES[0];
