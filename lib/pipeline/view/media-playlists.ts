/**
 * Media playlists of a stream, rendered when asked. Entries of the timeline never change, so a warm
 * process keeps what it has read and formatted, and reads only what is new: the cost of a request
 * does not grow with the stream.
 */

import { LRUCache } from 'lru-cache';
import { TagPlacement } from '../../domain/marker-placement.ts';
import { silenceKey } from '../../domain/object-keys.ts';
import { type ListedPiece, pieceLister } from '../../domain/presentation.ts';
import { isLongRecording } from '../../domain/recording.ts';
import { type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import {
  discontinuitySequence,
  isListedLive,
  isSliding,
  type TimelineEntry,
  type TimelineState,
  windowStartTicks,
} from '../../domain/timeline.ts';
import {
  ENDLIST,
  formatHeader,
  formatMediaPlaylist,
  formatSegment,
} from '../../playlist/hls-media.ts';
import type { Deps } from '../deps.ts';
import type { RequestDeps } from '../jobs/recording-playlists-request.ts';
import { type Document, documentOf } from './document.ts';
import { linesOf, segmentOf, uriOf } from './listed-segment.ts';
import { longRecording } from './long-recordings.ts';
import type { MarkerLogs } from './marker-logs.ts';
import { recordedTags, recordingTexts } from './recording-playlists.ts';

/** `vod`: the whole recording of a stream that has ended. */
export type PlaylistView = 'live' | 'vod';

/** A live playlist that has ended, of a stream that went on later, lies apart. */
type RenderedView = PlaylistView | `live ${number}`;

const PAGE = 500;
const MAX_CACHED_CHARACTERS = 48_000_000;
const MAX_WINDOWS = 200;
const MAX_DOCUMENTS = 300;

type Parts = RequestDeps & Pick<Deps, 'media'>;

/** The entries that a sliding playlist lists. */
type Window = { entries: TimelineEntry[]; next: number };

/** The segments of a playlist that only grows, as text; up to the one before `next`. */
type AppendOnlyPlaylist = {
  text: string;
  /** Of the markers' log that the text was made with: a tag that is gone is in the text no more. */
  removals: number;
  next: number;
  first?: TimelineEntry;
  last?: ListedPiece;
};

export class MediaPlaylists {
  readonly #parts: Parts;
  readonly #windows = new LRUCache<string, Window>({ max: MAX_WINDOWS });
  readonly #appendOnly = new LRUCache<string, AppendOnlyPlaylist>({
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: ({ text }) => text.length + 1,
  });
  readonly #documents = new LRUCache<string, { stamp: string; document: Document }>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: ({ document }) =>
      (document.store ? 0 : document.text.length) + document.gzip.byteLength,
  });
  readonly #markers: MarkerLogs;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: Parts, markers: MarkerLogs) {
    this.#parts = parts;
    this.#markers = markers;
  }

  /** Throws `not_ready` for a long recording whose playlists are not stored yet. */
  async render(
    stream: Stream,
    state: TimelineState,
    rendition: string,
    view: RenderedView,
    showsEnd: boolean,
  ): Promise<Document> {
    const { nextSequence, lateArrivals, dvrWindowTicks, firstListedSequence } = state;
    const { markerVersion, kept } = state;
    const key = `${stream.uid}/${rendition}/${view}`;
    const silence = state.renditions[rendition]?.silence;
    const stamp = [
      ...[nextSequence, showsEnd, lateArrivals, dvrWindowTicks, firstListedSequence],
      ...[silence?.to, markerVersion, kept?.version],
    ].join();
    const cached = this.#documents.get(key);
    if (cached?.stamp === stamp) return cached.document;
    // What is kept of a stream is extended by one request at a time; the others find it done.
    return this.#inTurn(stream.uid, async () => {
      const done = this.#documents.get(key);
      if (done?.stamp === stamp) return done.document;
      const made =
        view === 'vod'
          ? await this.#recording(stream, state, rendition)
          : isSliding(state)
            ? documentOf(await this.#renderWindow(stream, state, rendition, view, showsEnd))
            : documentOf(await this.#renderAppendOnly(stream, state, rendition, view, showsEnd));
      this.#documents.set(key, { stamp, document: made });
      return made;
    });
  }

  #inTurn<T>(uid: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(uid) ?? Promise.resolve()).then(work, work);
    this.#turns.set(uid, turn);
    const leave = () => {
      if (this.#turns.get(uid) === turn) this.#turns.delete(uid);
    };
    turn.then(leave, leave);
    return turn;
  }

  async #recording(stream: Stream, state: TimelineState, rendition: string): Promise<Document> {
    if (isLongRecording(state, this.#parts.longEntries)) {
      return longRecording(this.#parts, stream, state, rendition);
    }
    const parts: string[] = [];
    const log = await this.#markers.of(stream, state);
    const tags = recordedTags(log, stream, state, this.#parts.clock.now());
    const texts = recordingTexts(this.#parts.records, stream, state, [rendition], tags);
    for await (const part of texts) parts.push(...part.texts);
    return documentOf(parts.join(''));
  }

  async #renderWindow(
    stream: Stream,
    state: TimelineState,
    rendition: string,
    view: RenderedView,
    showsEnd: boolean,
  ): Promise<string> {
    const entries = await this.#window(stream, state, view);
    const listPiece = pieceLister(state, rendition, (...at) => silenceKey(stream, ...at));
    const tags = new TagPlacement((await this.#markers.of(stream, state)).tags(), entries[0]);
    let last: ListedPiece | undefined;
    return formatMediaPlaylist({
      targetDurationSeconds: targetDurationSeconds(stream.settings, state),
      mediaSequence: entries[0]?.sequence ?? 0,
      discontinuitySequence: discontinuitySequence(entries[0]),
      ended: showsEnd,
      segments: entries.map((entry) => {
        last = listPiece(entry, last);
        return { ...segmentOf(stream, entry, last), dateRanges: linesOf(tags.before(entry)) };
      }),
      get dateRanges() {
        return linesOf(tags.rest());
      },
    });
  }

  /** The newest entries that together cover the window. */
  async #window(
    stream: Stream,
    state: TimelineState,
    view: RenderedView,
  ): Promise<readonly TimelineEntry[]> {
    const key = `${stream.uid}/${view}`;
    const { nextSequence, firstListedSequence: floor } = state;
    const startTicks = windowStartTicks(state);
    const reachesBack = (first: TimelineEntry | undefined): boolean =>
      first !== undefined && (first.sequence <= floor || first.offsetTicks <= startTicks);
    const kept = this.#windows.get(key) ?? { entries: [], next: nextSequence };
    if (reachesBack(kept.entries[0])) {
      for (let from = kept.next; from < nextSequence; from += PAGE) {
        const to = Math.min(nextSequence, from + PAGE) - 1;
        kept.entries.push(...(await this.#parts.records.entries(stream, from, to)));
      }
    } else {
      // Backwards from the end (a cold process, or a window that was made wider), a page at a time.
      const pages: TimelineEntry[][] = [];
      for (let to = nextSequence - 1; to >= floor && !reachesBack(pages[0]?.[0]); to -= PAGE) {
        pages.unshift(
          await this.#parts.records.entries(stream, Math.max(floor, to - PAGE + 1), to),
        );
      }
      kept.entries = pages.flat();
      kept.next = nextSequence;
    }
    // A request that was overtaken has an older state.
    kept.next = Math.max(kept.next, nextSequence);
    const start = kept.entries.findIndex((entry) => isListedLive(entry, state));
    if (start > 0) kept.entries.splice(0, start);
    this.#windows.set(key, kept);
    return kept.entries;
  }

  async #renderAppendOnly(
    stream: Stream,
    state: TimelineState,
    rendition: string,
    view: RenderedView,
    showsEnd: boolean,
  ): Promise<string> {
    const from = state.firstListedSequence;
    const key = [stream.uid, rendition, view, from].join();
    const log = await this.#markers.of(stream, state);
    const { removals } = log;
    const kept = this.#appendOnly.get(key);
    const playlist: AppendOnlyPlaylist =
      kept?.removals === removals ? kept : { text: '', next: from, removals };
    const tags = new TagPlacement(log.tags(), playlist.first, playlist.next - 1);
    const listPiece = pieceLister(state, rendition, (...at) => silenceKey(stream, ...at));
    const parts = [playlist.text];
    while (playlist.next < state.nextSequence) {
      const to = Math.min(state.nextSequence, playlist.next + PAGE) - 1;
      for (const entry of await this.#parts.records.entries(stream, playlist.next, to)) {
        const listed = listPiece(entry, playlist.last);
        const previousMap = playlist.last && uriOf(playlist.last.initKey);
        const segment = segmentOf(stream, entry, listed);
        const dateRanges = linesOf(tags.before(entry));
        parts.push(formatSegment({ ...segment, dateRanges }, previousMap));
        playlist.first ??= entry;
        playlist.last = listed;
      }
      playlist.next = to + 1;
    }
    playlist.text = parts.join('');
    this.#appendOnly.set(key, playlist);
    const header = formatHeader({
      targetDurationSeconds: targetDurationSeconds(stream.settings, state),
      mediaSequence: from,
      discontinuitySequence: discontinuitySequence(playlist.first),
      ...(state.isEvent ? { playlistType: 'EVENT' as const } : {}),
    });
    return header + playlist.text + linesOf(tags.rest()) + (showsEnd ? ENDLIST : '');
  }
}
