/**
 * Clips: playlists over the segments that there are, printed when asked. Segments are whole, so the first and
 * the last may hold more than the clip: players are told where to begin, and the page knows where to stop.
 */

import { LRUCache } from 'lru-cache';
import { type ClipEntry, MAX_CLIP_ENTRIES, tooLong } from '../../../domain/clip.ts';
import { DomainError } from '../../../domain/errors.ts';
import { regionDefault } from '../../../domain/languages/region-default.ts';
import { overlaps } from '../../../domain/markers/marker.ts';
import { listsOf, THUMBNAIL_INDEX } from '../../../domain/pictures/trick-play.ts';
import { type ListedPiece, presentationOf } from '../../../domain/presentation.ts';
import { captionDefault, type Stream, targetDurationSeconds } from '../../../domain/stream.ts';
import { ticksToMs, ticksToSeconds } from '../../../domain/ticks.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import { formatMultivariantPlaylist } from '../../../playlist/hls-multivariant.ts';
import { getStream } from '../../auth.ts';
import type { Deps } from '../../deps.ts';
import { type Document, documentOf } from '../document.ts';
import { entryList } from '../entry-lists.ts';
import { MarkerLogs } from '../marker-logs.ts';
import { type ClipQuery, clipBounds, clipEntries, emptyClip } from './clip-entries.ts';

/**
 * All throw `stream_not_found`, `bad_request`, `moment_not_found` for a span that the stream does not have,
 * and `clip_too_long`.
 */
export type ClipViewer = Readonly<{
  multivariant(videoId: string, query: ClipQuery): Promise<Document>;
  /** `name` as in `listsOf`. Throws `rendition_not_found`. */
  media(videoId: string, name: string, query: ClipQuery): Promise<Document>;
}>;

type Clip = Readonly<{ stream: Stream; state: TimelineState; entries: readonly ClipEntry[] }>;

const MAX_CACHED_ENTRIES = 100_000;

/** One for the life of the process: it keeps the entries that it has read, which every rendition lists. */
export function createClipViewer(deps: Deps): ClipViewer {
  const markerLogs = new MarkerLogs(deps);
  const kept = new LRUCache<string, readonly ClipEntry[]>({
    maxSize: MAX_CACHED_ENTRIES,
    sizeCalculation: (entries) => entries.length,
  });

  async function load(videoId: string, query: ClipQuery): Promise<Clip> {
    const { value: stream } = await getStream(deps, videoId);
    const { value: state } = await deps.records.timeline(stream);
    const bounds = clipBounds(query, state);
    const { lateArrivals, nextSequence, kept: left } = state;
    const end = query.to === undefined ? nextSequence : '';
    const key = [stream.uid, query.from, query.to, end, lateArrivals, left?.version].join();
    const known = kept.get(key);
    if (known) return { stream, state, entries: known };
    const entries: ClipEntry[] = [];
    for await (const entry of clipEntries(deps, stream, state, bounds)) {
      if (entries.length === MAX_CLIP_ENTRIES) throw tooLong(MAX_CLIP_ENTRIES);
      entries.push(entry);
    }
    if (entries.length === 0) throw emptyClip(stream, state, bounds);
    kept.set(key, entries);
    return { stream, state, entries };
  }

  return {
    async multivariant(videoId, query) {
      const { stream, state, entries } = await load(videoId, query);
      const suffix = suffixOf(query);
      const text = formatMultivariantPlaylist(
        presentationOf(
          offeredIn(state, entries),
          regionDefault(stream.settings.defaultAudio),
          captionDefault(stream.settings, undefined),
        ),
        (list) => `/viewstream/${videoId}/clip/${list}.m3u8${suffix}`,
      );
      return documentOf(text);
    },

    async media(videoId, name, query) {
      const { stream, state, entries } = await load(videoId, query);
      const lists = listsOf(offeredIn(state, entries)).filter((list) => list !== THUMBNAIL_INDEX);
      if (!lists.includes(name)) {
        throw new DomainError(
          'rendition_not_found',
          `The clip has no rendition "${name}".`,
          `It has ${lists.join(', ')}.`,
        );
      }
      const list = entryList(stream, state, name, 'vod');
      const header = list.header({
        targetDurationSeconds: targetDurationSeconds(stream.settings, state),
        ...{ mediaSequence: 0, discontinuitySequence: 0, playlistType: 'VOD' },
        startSeconds: startSeconds(entries),
      });
      const { fromMs, toMs } = spanMs(entries);
      const tags = (await markerLogs.of(stream, state)).tags();
      const shown = tags.filter(({ marker }) => overlaps(marker, fromMs, toMs));
      let last: ListedPiece | undefined;
      const parts = entries.map(({ entry }, index) => {
        const first = index === 0 ? { ...entry, discontinuity: false } : entry;
        const { text, listed } = list.list(first, last);
        last = listed;
        return text;
      });
      return documentOf([header, list.markers(shown), ...parts, list.end].join(''));
    },
  };
}

/** From the start of its first segment. */
function startSeconds([first]: readonly ClipEntry[]): number {
  return first ? ticksToSeconds(first.fromTicks - first.entry.startTicks) : 0;
}

/** By the wall clock. */
function spanMs(entries: readonly ClipEntry[]): Readonly<{ fromMs: number; toMs: number }> {
  const instantOf = (at: ClipEntry | undefined, ticks = 0): number =>
    at ? at.entry.programDateTimeMs + ticksToMs(ticks - at.entry.startTicks) : 0;
  const [first] = entries;
  const last = entries.at(-1);
  return { fromMs: instantOf(first, first?.fromTicks), toMs: instantOf(last, last?.toTicks) };
}

/** The renditions that the clip has anything of, at the rates that were measured. */
function offeredIn(state: TimelineState, entries: readonly ClipEntry[]): TimelineState {
  const named = new Set(entries.flatMap(({ entry }) => Object.keys(entry.renditions)));
  const isSilent = ({ silence }: TimelineState['renditions'][string]): boolean =>
    silence !== undefined &&
    entries.some(
      ({ entry: { sequence = -1 } }) => sequence >= silence.from && sequence < silence.to,
    );
  const renditions = Object.entries(state.renditions).filter(
    ([name, totals]) => named.has(name) || isSilent(totals),
  );
  return { ...state, renditions: Object.fromEntries(renditions), endedAtMs: state.endedAtMs ?? 0 };
}

function suffixOf({ from, to }: ClipQuery): string {
  const bounds = Object.entries({ from, to }).filter(([, value]) => value !== undefined);
  const query = bounds.map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`);
  return query.length > 0 ? `?${query.join('&')}` : '';
}
