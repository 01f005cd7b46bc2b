/** Markers: what happened in a stream, at an instant or over a span of its wall clock. Pure. */

/** A value that JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | Readonly<{ [name: string]: JsonValue }>;

export type Marker = Readonly<{
  /** Unique within the stream: the caller's, or made by the server. */
  id: string;
  /** What kind of event it is, as `goal` or `person`. */
  class: string;
  /** Unix time by the stream's wall clock (EXT-X-PROGRAM-DATE-TIME), in milliseconds. */
  startMs: number;
  /** The same as `startMs`: an instant. undefined: it has begun, and its end is not known yet. */
  endMs?: number | undefined;
  text?: string | undefined;
  data?: Readonly<Record<string, JsonValue>> | undefined;
}>;

/** A marker as it is stored; written by the API, and by the publisher when viewers are shown it. */
export type MarkerRecord = Readonly<{
  /** undefined: it was removed. Its id is not used again. */
  marker: Marker | undefined;
  /** Counts the changes: 1 when it is new. */
  revision: number;
  /** The revision that viewers are shown; 0: none. */
  publishedRevision: number;
  /** ID of its EXT-X-DATERANGE, and what that says. */
  published?: Readonly<{ rangeId: string; marker: Marker }> | undefined;
}>;

/**
 * One change that viewers are shown. Changes are numbered without holes and never change, so a process
 * that knows those up to one version reads only what is new.
 */
export type MarkerChange = Readonly<{
  version: number;
  /** Sequence of the entry that live playlists list next: the tag stands before it. */
  sequence: number;
  id: string;
  /** ID of its EXT-X-DATERANGE. */
  rangeId: string;
  /** undefined: removed. */
  marker?: Marker | undefined;
}>;

const equalJson = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

/** Names in order: JSON of equal values is equal. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

export const isSameMarker = (a: Marker, b: Marker): boolean => equalJson(a, b);

/**
 * ID of the EXT-X-DATERANGE of a marker's new revision. Two tags with one ID may not differ in an attribute
 * that both have (RFC 8216bis, 4.4.5.1), so only an end that becomes known keeps the ID.
 */
export function rangeIdOf(
  marker: Marker,
  revision: number,
  before: MarkerRecord['published'],
): string {
  if (!before) return marker.id;
  const { endMs, ...rest } = marker;
  const onlyEnds = before.marker.endMs === undefined && isSameMarker(before.marker, rest);
  return onlyEnds && endMs !== undefined ? before.rangeId : `${marker.id}~${revision}`;
}

/** Whether any part of it lies in a span of the wall clock; both ends belong to it. */
export const overlaps = (
  { startMs, endMs = Number.POSITIVE_INFINITY }: Pick<Marker, 'startMs' | 'endMs'>,
  fromMs: number,
  toMs: number,
): boolean => startMs <= toMs && endMs >= fromMs;
