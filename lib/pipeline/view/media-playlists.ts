/**
 * Media playlists of a stream, rendered when asked. Entries of the timeline never change, so a warm
 * process keeps what it has read and formatted, and reads only what is new: the cost of a request
 * does not grow with the stream.
 */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { fallbacksFor } from '../../domain/fallback.ts';
import { mediaPrefix } from '../../domain/object-keys.ts';
import type { TimelineHead } from '../../domain/publication.ts';
import { dvrWindowTicks, type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import type { EntryRendition, TimelineEntry } from '../../domain/timeline.ts';
import {
  ENDLIST,
  formatHead,
  formatMediaPlaylist,
  formatSegment,
  type MediaSegment,
} from '../../playlist/hls-media.ts';
import type { LateArrival, StreamRecords } from '../records/stream-records.ts';

export type Document = Readonly<{ text: string; gzip: Uint8Array; etag: string }>;

export const document = (text: string): Document => ({
  text,
  gzip: gzipSync(text, { level: 4 }),
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});

/** `vod`: the whole recording of a stream that has ended, with late segments in their places. */
export type PlaylistView = 'live' | 'vod';

const PAGE = 500;
const MAX_CACHED_CHARACTERS = 48_000_000;
const MAX_WINDOWS = 200;
const MAX_DOCUMENTS = 300;

/** The entries that a sliding playlist lists. */
type Window = { entries: TimelineEntry[]; next: number };

/** A playlist from the beginning on, as text that only grows. */
type CachedPlaylist = { text: string; next: number; mapUri?: string; hasGap: boolean };

export class MediaPlaylists {
  private readonly records: StreamRecords;
  private readonly windows = new LRUCache<string, Window>({ max: MAX_WINDOWS });
  private readonly cachedPlaylists = new LRUCache<string, CachedPlaylist>({
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: (cachedPlaylist) => cachedPlaylist.text.length + 1,
  });
  private readonly documents = new LRUCache<string, { stamp: string; document: Document }>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: ({ document: { text, gzip } }) => text.length + gzip.byteLength,
  });

  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(records: StreamRecords) {
    this.records = records;
  }

  async render(
    stream: Stream,
    head: TimelineHead,
    rendition: string,
    view: PlaylistView,
  ): Promise<Document> {
    const windowTicks = dvrWindowTicks(stream.settings);
    const key = `${stream.uid}/${rendition}/${view}`;
    const stamp = [head.nextSequence, head.endedAtMs, head.lateArrivals, windowTicks].join();
    const cached = this.documents.get(key);
    if (cached?.stamp === stamp) return cached.document;
    // What is kept of a stream is extended by one request at a time; the others find it done.
    return this.inTurn(stream.uid, async () => {
      const done = this.documents.get(key);
      if (done?.stamp === stamp) return done.document;
      const whole = view === 'vod' || windowTicks === undefined;
      const text = whole
        ? await this.renderWhole(stream, head, rendition, view)
        : await this.renderWindow(stream, head, rendition, windowTicks);
      const made = document(text);
      this.documents.set(key, { stamp, document: made });
      return made;
    });
  }

  private inTurn<T>(uid: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(uid) ?? Promise.resolve()).then(work, work);
    this.turns.set(uid, turn);
    const leave = () => {
      if (this.turns.get(uid) === turn) this.turns.delete(uid);
    };
    turn.then(leave, leave);
    return turn;
  }

  private async renderWindow(
    stream: Stream,
    head: TimelineHead,
    rendition: string,
    windowTicks: number,
  ): Promise<string> {
    const entries = await this.window(stream, head, windowTicks);
    const listed = listing(stream, head, rendition);
    const first = entries[0];
    return formatMediaPlaylist({
      targetDurationSeconds: targetDurationSeconds(stream.settings),
      mediaSequence: first?.sequence ?? 0,
      discontinuitySequence: discontinuitiesBefore(first),
      ended: head.endedAtMs !== undefined,
      segments: entries.map((entry) => listed(entry)),
    });
  }

  /** The newest entries that together cover the window. */
  private async window(
    stream: Stream,
    head: TimelineHead,
    windowTicks: number,
  ): Promise<readonly TimelineEntry[]> {
    const startTicks = head.endOffsetTicks - windowTicks;
    const kept = this.windows.get(stream.uid) ?? { entries: [], next: head.nextSequence };
    const firstKept = kept.entries[0];
    const reaches = firstKept && (firstKept.sequence === 0 || firstKept.offsetTicks <= startTicks);
    if (!reaches) {
      // Backwards from the end (a new window, or one that was made wider), a page at a time.
      const pages: TimelineEntry[][] = [];
      let to = head.nextSequence - 1;
      while (to >= 0) {
        const page = await this.records.entries(stream, Math.max(0, to - PAGE + 1), to);
        pages.unshift(page);
        to -= PAGE;
        if ((page[0]?.offsetTicks ?? 0) <= startTicks) break;
      }
      kept.entries = pages.flat();
      kept.next = head.nextSequence;
    } else {
      for (let from = kept.next; from < head.nextSequence; from += PAGE) {
        const to = Math.min(head.nextSequence, from + PAGE) - 1;
        kept.entries.push(...(await this.records.entries(stream, from, to)));
      }
    }
    // A request that was overtaken has an older head.
    kept.next = Math.max(kept.next, head.nextSequence);
    const start = kept.entries.findIndex(
      (entry) => entry.offsetTicks + entry.durationTicks > startTicks,
    );
    if (start > 0) kept.entries.splice(0, start);
    this.windows.set(stream.uid, kept);
    return kept.entries;
  }

  private async renderWhole(
    stream: Stream,
    head: TimelineHead,
    rendition: string,
    view: PlaylistView,
  ): Promise<string> {
    const isVod = view === 'vod';
    const lateArrivals = isVod
      ? await this.records.lateArrivals(stream)
      : new Map<number, LateArrival>();
    const key = [stream.uid, rendition, isVod, isVod ? head.lateArrivals : 0].join();
    const cachedPlaylist = this.cachedPlaylists.get(key) ?? { text: '', next: 0, hasGap: false };
    const listed = listing(stream, head, rendition);
    const parts = [cachedPlaylist.text];
    while (cachedPlaylist.next < head.nextSequence) {
      const to = Math.min(head.nextSequence, cachedPlaylist.next + PAGE) - 1;
      for (const entry of await this.records.entries(stream, cachedPlaylist.next, to)) {
        const segment = listed(entry, lateArrivals.get(entry.sequence)?.renditions);
        parts.push(formatSegment(segment, cachedPlaylist.mapUri));
        cachedPlaylist.mapUri = segment.mapUri;
        cachedPlaylist.hasGap ||= segment.gap;
      }
      cachedPlaylist.next = to + 1;
    }
    cachedPlaylist.text = parts.join('');
    this.cachedPlaylists.set(key, cachedPlaylist);
    const top = formatHead(
      {
        targetDurationSeconds: targetDurationSeconds(stream.settings),
        mediaSequence: 0,
        discontinuitySequence: 0,
        playlistType: isVod ? 'VOD' : 'EVENT',
      },
      cachedPlaylist.hasGap,
    );
    return top + cachedPlaylist.text + (head.endedAtMs === undefined ? '' : ENDLIST);
  }
}

/** The tag right before the first entry is listed with it, and counts from there. */
const discontinuitiesBefore = (first: TimelineEntry | undefined): number =>
  first ? first.discontinuities - (first.discontinuity ? 1 : 0) : 0;

/** Entry → line of one rendition. All renditions list every entry; who lacks a piece shows another's. */
function listing(
  stream: Stream,
  head: TimelineHead,
  rendition: string,
): (entry: TimelineEntry, lateArrivals?: Readonly<Record<string, EntryRendition>>) => MediaSegment {
  const candidates = [rendition, ...fallbacksFor(rendition, head.renditions)];
  const initKey = head.renditions[rendition]?.initKey ?? '';
  return (entry, lateArrivals) => {
    const pieces = lateArrivals ?? entry.renditions;
    const name = candidates.find((candidate) => pieces[candidate]);
    const piece = name === undefined ? undefined : pieces[name];
    return {
      uri: `/${piece?.key ?? `${mediaPrefix(stream)}gap/${entry.sequence}.m4s`}`,
      mapUri: `/${piece?.initKey ?? initKey}`,
      durationTicks: entry.durationTicks,
      programDateTimeMs: entry.programDateTimeMs,
      discontinuity: entry.discontinuity,
      gap: piece === undefined,
    };
  };
}
