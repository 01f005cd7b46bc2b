/**
 * Media playlists of a stream, and other lists of its entries, rendered when asked. Entries of the timeline never change, so a warm
 * process keeps what it has read and formatted, and reads only what is new: the cost of a request
 * does not grow with the stream.
 */

import { LRUCache } from 'lru-cache';
import { TagPlacement } from '../../domain/markers/marker-placement.ts';
import { HLS_PLAYLIST, mediaTypeOf } from '../../domain/media-format.ts';
import { recordingPlaylistKey, recordingVersion } from '../../domain/object-keys.ts';
import type { ListedPiece } from '../../domain/presentation.ts';
import { isLongRecording } from '../../domain/recording.ts';
import { type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import {
  discontinuitySequence,
  isSliding,
  type TimelineEntry,
  type TimelineState,
} from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import type { RequestDeps } from '../jobs/recording-playlists-request.ts';
import { type Document, documentOf } from './document.ts';
import { entryList } from './entry-lists.ts';
import type { EntryWindows, RenderedView } from './entry-windows.ts';
import { longRecording } from './long-recordings.ts';
import type { MarkerLogs } from './marker-logs.ts';
import { recordedTags, recordingTexts } from './recording-playlists.ts';
import type { StreamTurns } from './stream-turns.ts';

const PAGE = 500;
const MAX_CACHED_CHARACTERS = 48_000_000;
const MAX_DOCUMENTS = 300;

type Parts = RequestDeps & Pick<Deps, 'media'>;

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
  readonly #windows: EntryWindows;
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
  readonly #turns: StreamTurns;

  constructor(parts: Parts, markers: MarkerLogs, windows: EntryWindows, turns: StreamTurns) {
    this.#parts = parts;
    this.#markers = markers;
    this.#windows = windows;
    this.#turns = turns;
  }

  /** `name` as in `listsOf`. Throws `not_ready` for a long recording whose playlists are not stored yet. */
  async render(
    stream: Stream,
    state: TimelineState,
    name: string,
    view: RenderedView,
    showsEnd: boolean,
  ): Promise<Document> {
    const { nextSequence, lateArrivals, dvrWindowTicks, firstListedSequence } = state;
    const { markerVersion, kept } = state;
    const key = `${stream.uid}/${name}/${view}`;
    const silence = state.renditions[name]?.silence;
    const stamp = [
      ...[nextSequence, showsEnd, lateArrivals, dvrWindowTicks, firstListedSequence],
      ...[silence?.to, markerVersion, captionStamp(state, name, view), kept?.version],
    ].join();
    const cached = this.#documents.get(key);
    if (cached?.stamp === stamp) return cached.document;
    // What is kept of a stream is extended by one request at a time; the others find it done.
    return this.#turns.run(stream.uid, async () => {
      const done = this.#documents.get(key);
      if (done?.stamp === stamp) return done.document;
      const made =
        view === 'vod'
          ? await this.#recording(stream, state, name)
          : isSliding(state)
            ? documentOf(await this.#renderWindow(stream, state, name, view, showsEnd))
            : documentOf(await this.#renderAppendOnly(stream, state, name, view, showsEnd));
      this.#documents.set(key, { stamp, document: made });
      return made;
    });
  }

  async #recording(stream: Stream, state: TimelineState, name: string): Promise<Document> {
    if (isLongRecording(state, this.#parts.longEntries)) {
      const key = recordingPlaylistKey(stream, name, recordingVersion(state));
      const contentType = mediaTypeOf(key) ?? HLS_PLAYLIST.contentType;
      return longRecording(this.#parts, stream, state, key, contentType);
    }
    const parts: string[] = [];
    const log = await this.#markers.of(stream, state);
    const tags = recordedTags(log, stream, state, this.#parts.clock.now());
    const texts = recordingTexts(this.#parts.records, stream, state, [name], tags);
    for await (const part of texts) parts.push(...part.texts);
    return documentOf(parts.join(''));
  }

  async #renderWindow(
    stream: Stream,
    state: TimelineState,
    name: string,
    view: RenderedView,
    showsEnd: boolean,
  ): Promise<string> {
    const entries = await this.#windows.of(stream, state, view);
    const list = entryList(stream, state, name, 'live');
    const tags = new TagPlacement((await this.#markers.of(stream, state)).tags(), entries[0]);
    const header = list.header({
      targetDurationSeconds: targetDurationSeconds(stream.settings, state),
      mediaSequence: entries[0]?.sequence ?? 0,
      discontinuitySequence: discontinuitySequence(entries[0]),
    });
    let last: ListedPiece | undefined;
    const parts = entries.map((entry) => {
      const { text, listed } = list.list(entry, last);
      last = listed;
      return list.markers(tags.before(entry)) + text;
    });
    return [header, ...parts, list.markers(tags.rest()), showsEnd ? list.end : ''].join('');
  }

  async #renderAppendOnly(
    stream: Stream,
    state: TimelineState,
    name: string,
    view: RenderedView,
    showsEnd: boolean,
  ): Promise<string> {
    const from = state.firstListedSequence;
    const since = state.captions?.tracks[name]?.since;
    const key = [stream.uid, name, view, from, since].join();
    const log = await this.#markers.of(stream, state);
    const { removals } = log;
    const kept = this.#appendOnly.get(key);
    const playlist: AppendOnlyPlaylist =
      kept?.removals === removals ? kept : { text: '', next: from, removals };
    const tags = new TagPlacement(log.tags(), playlist.first, playlist.next - 1);
    const list = entryList(stream, state, name, 'live');
    const parts = [playlist.text];
    while (playlist.next < state.nextSequence) {
      const to = Math.min(state.nextSequence, playlist.next + PAGE) - 1;
      for (const entry of await this.#parts.records.entries(stream, playlist.next, to)) {
        const { text, listed } = list.list(entry, playlist.last);
        parts.push(list.markers(tags.before(entry)), text);
        playlist.first ??= entry;
        playlist.last = listed;
      }
      playlist.next = to + 1;
    }
    playlist.text = parts.join('');
    this.#appendOnly.set(key, playlist);
    const header = list.header({
      targetDurationSeconds: targetDurationSeconds(stream.settings, state),
      mediaSequence: from,
      discontinuitySequence: discontinuitySequence(playlist.first),
      ...(state.isEvent ? { playlistType: 'EVENT' as const } : {}),
    });
    return header + playlist.text + list.markers(tags.rest()) + (showsEnd ? list.end : '');
  }
}

/** A track that was removed and sent again is another one; a recording has the newest of each. */
function captionStamp(
  { captions }: TimelineState,
  name: string,
  view: RenderedView,
): number | undefined {
  const track = captions?.tracks[name];
  return track && (view === 'vod' ? captions?.version : track.since);
}
