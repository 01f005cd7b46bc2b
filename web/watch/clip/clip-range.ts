/** The span of a clip on the page: its marks, and the addresses of what is made of it. Pure. */

import { formatClock } from '../../shared/format-time.ts';

/** By the wall clock of the stream, Unix time in milliseconds; undefined: not marked. */
export type ClipMarks = Readonly<{ fromMs?: number | undefined; toMs?: number | undefined }>;

export type ClipRange = Readonly<{ fromMs: number; toMs: number }>;

/** As it stands in an address: seconds from the start of the stream, or an instant. */
export type ClipLink = Readonly<{ from: string; to: string }>;

const BOUND = /^(?:\d{1,9}(?:\.\d{1,6})?|\d{4}-\d\d-\d\dT[\d:.]{5,12}(?:Z|[+-]\d\d:?\d\d))$/;

/** The clip that a link to a page names; undefined: it is a link to all of the stream. */
export function parseClipLink(query: URLSearchParams): ClipLink | undefined {
  const [from = '', to = ''] = [query.get('from') ?? '', query.get('to') ?? ''];
  if (!BOUND.test(from) || !BOUND.test(to)) return undefined;
  const isSpan = numberOf(from) < numberOf(to) || isInstant(from) !== isInstant(to);
  return isSpan ? { from, to } : undefined;
}

const isInstant = (bound: string): boolean => bound.includes('T');
const numberOf = (bound: string): number => (isInstant(bound) ? Date.parse(bound) : Number(bound));

/** Positions of a clip in its own playlist, which begins at `start` with it; undefined: it is not known yet. */
export function positionsOf(
  { from, to }: ClipLink,
  start: number,
  positionAt: (instantMs: number) => number | undefined,
  playlistEnd: number,
): Readonly<{ start: number; end: number }> {
  if (!isInstant(from) && !isInstant(to)) {
    return { start, end: Math.min(playlistEnd, start + Number(to) - Number(from)) };
  }
  const end = isInstant(to) ? positionAt(Date.parse(to)) : undefined;
  return { start, end: end ?? playlistEnd };
}

export function rangeOf({ fromMs, toMs }: ClipMarks): ClipRange | undefined {
  return fromMs !== undefined && toMs !== undefined && fromMs < toMs ? { fromMs, toMs } : undefined;
}

/** A mark behind the other one takes that away: what is marked next belongs to it. */
export function withMark(marks: ClipMarks, mark: 'fromMs' | 'toMs', atMs: number): ClipMarks {
  const next = { ...marks, [mark]: atMs };
  const { fromMs, toMs } = next;
  if (fromMs === undefined || toMs === undefined || fromMs < toMs) return next;
  return { [mark]: atMs };
}

/** Instants have whole milliseconds; the server knows that frames begin between those. */
export const clipLinkOf = ({ fromMs, toMs }: ClipRange): ClipLink => ({
  from: new Date(Math.floor(fromMs)).toISOString(),
  to: new Date(Math.floor(toMs)).toISOString(),
});

const queryOf = ({ from, to }: ClipLink): string => `from=${from}&to=${to}`;

/** Of a page that plays just the clip. */
export const clipPage = (page: string, link: ClipLink): string => `${page}?${queryOf(link)}`;

export const clipPlaylist = (videoId: string, link: ClipLink): string =>
  `/viewstream/${encodeURIComponent(videoId)}/clip?${queryOf(link)}`;

/** Without a link: of the whole recording. An empty resolution is the best. */
export function clipFile(videoId: string, link: ClipLink | undefined, resolution: string): string {
  const query = [
    'format=mp4',
    ...(link ? [queryOf(link)] : []),
    ...(resolution ? [`resolution=${encodeURIComponent(resolution)}`] : []),
  ];
  return `/viewstream/${encodeURIComponent(videoId)}/clip?${query.join('&')}`;
}

/** `75.25` → `1:15.25`. */
export const formatPrecise = (seconds: number): string => {
  const hundredths = Math.max(0, Math.round(seconds * 100));
  return `${formatClock(Math.floor(hundredths / 100))}.${String(hundredths % 100).padStart(2, '0')}`;
};
