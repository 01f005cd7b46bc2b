/**
 * MPDs of a stream, made when asked. They list what HLS playlists do, by the same rules; the address of a
 * segment says its time, and `dash-segment.ts` finds the object that it stands for.
 */

import { LRUCache } from 'lru-cache';
import { DASH_MANIFEST } from '../../domain/media-format.ts';
import { recordingManifestKey, recordingVersion } from '../../domain/object-keys.ts';
import type { PeriodBuilder } from '../../domain/period.ts';
import { isLongRecording } from '../../domain/recording.ts';
import type { PeriodStart } from '../../domain/retention/kept.ts';
import type { Stream } from '../../domain/stream.ts';
import { isSliding, type TimelineEntry, type TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import type { RequestDeps } from '../jobs/recording-playlists-request.ts';
import { findPeriodStart } from '../records/timeline-search.ts';
import { type Document, documentOf } from './document.ts';
import type { EntryWindows, RenderedView } from './entry-windows.ts';
import { longRecording } from './long-recordings.ts';
import { liveManifest, periodBuilder, recordingManifest } from './manifest.ts';
import type { MarkerLogs } from './marker-logs.ts';
import { recordedEntries } from './recorded-entries.ts';
import { recordedTags } from './recording-playlists.ts';
import type { StreamTurns } from './stream-turns.ts';

const PAGE = 500;
const MAX_DOCUMENTS = 100;
const MAX_CACHED_CHARACTERS = 48_000_000;
const MAX_PERIOD_STARTS = 1000;
/** Of those that only grow. */
const MAX_BUILDERS = 50;

/** The periods of a live MPD that only grows; up to the entry before `next`. */
type Growing = { readonly builder: PeriodBuilder; next: number };

export type ManifestView = Readonly<{
  view: RenderedView;
  showsEnd: boolean;
  /** Of a live one, where it is asked for again. */
  location: string;
  /** Long recordings are stored with the stream's own. */
  languages: DefaultLanguages;
}>;

/** Of the audio that is played by default, and of captions that are shown; undefined: the stream's own, and none. */
export type DefaultLanguages = Readonly<{
  audio?: string | undefined;
  captions?: string | undefined;
}>;

type Parts = RequestDeps & Pick<Deps, 'media'>;

export class DashManifests {
  readonly #parts: Parts;
  readonly #markers: MarkerLogs;
  readonly #windows: EntryWindows;
  readonly #turns: StreamTurns;
  readonly #growing = new LRUCache<string, Growing>({ max: MAX_BUILDERS });
  readonly #periodStarts = new LRUCache<string, PeriodStart>({ max: MAX_PERIOD_STARTS });
  readonly #documents = new LRUCache<string, { stamp: string; document: Document }>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: ({ document }) =>
      (document.store ? 0 : document.text.length) + document.gzip.byteLength,
  });

  constructor(parts: Parts, markers: MarkerLogs, windows: EntryWindows, turns: StreamTurns) {
    this.#parts = parts;
    this.#markers = markers;
    this.#windows = windows;
    this.#turns = turns;
  }

  /** Throws `not_ready` for a long recording. */
  async render(stream: Stream, state: TimelineState, how: ManifestView): Promise<Document> {
    const { view, showsEnd, languages } = how;
    const { nextSequence, lateArrivals, dvrWindowTicks, firstListedSequence } = state;
    const key = [stream.uid, view, languages.audio, languages.captions].join('/');
    const stamp = [
      ...[nextSequence, showsEnd, lateArrivals, dvrWindowTicks, firstListedSequence],
      ...[silencesOf(state), state.markerVersion, state.captions?.version, state.kept?.version],
    ].join();
    const cached = this.#documents.get(key);
    if (cached?.stamp === stamp) return cached.document;
    return this.#turns.run(stream.uid, async () => {
      const done = this.#documents.get(key);
      if (done?.stamp === stamp) return done.document;
      const document = await this.#make(stream, state, how);
      this.#documents.set(key, { stamp, document });
      return document;
    });
  }

  async #make(stream: Stream, state: TimelineState, how: ManifestView): Promise<Document> {
    const { view, languages } = how;
    if (view === 'vod' && isLongRecording(state, this.#parts.longEntries)) {
      const key = recordingManifestKey(stream, recordingVersion(state));
      return longRecording(this.#parts, stream, state, key, DASH_MANIFEST.contentType);
    }
    const log = await this.#markers.of(stream, state);
    if (view === 'vod') {
      const markers = recordedTags(log, stream, state, this.#parts.clock.now());
      const builder = periodBuilder(stream, state);
      for await (const entry of recordedEntries(this.#parts.records, stream, state)) {
        builder.add(entry);
      }
      return documentOf(recordingManifest(stream, state, builder.periods, markers, languages));
    }
    const builder = isSliding(state)
      ? await this.#window(stream, state, view)
      : await this.#grow(stream, state, view);
    const { periods } = builder;
    return documentOf(liveManifest(stream, state, periods, log.tags(), how));
  }

  async #window(stream: Stream, state: TimelineState, view: RenderedView): Promise<PeriodBuilder> {
    const entries = await this.#windows.of(stream, state, view);
    const builder = periodBuilder(
      stream,
      state,
      await this.#periodStart(stream, state, entries[0]),
    );
    for (const entry of entries) builder.add(entry);
    return builder;
  }

  /** Without a sliding window nothing leaves: what was added stays. */
  async #grow(stream: Stream, state: TimelineState, view: RenderedView): Promise<PeriodBuilder> {
    const { records } = this.#parts;
    const { firstListedSequence: from, nextSequence } = state;
    const key = [stream.uid, view, from, silencesOf(state)].join();
    const growing = this.#growing.get(key) ?? {
      builder: periodBuilder(
        stream,
        state,
        from > 0
          ? await this.#periodStart(stream, state, await records.entry(stream, from))
          : undefined,
      ),
      next: from,
    };
    while (growing.next < nextSequence) {
      const to = Math.min(nextSequence, growing.next + PAGE) - 1;
      for (const entry of await records.entries(stream, growing.next, to)) {
        growing.builder.add(entry);
      }
      growing.next = to + 1;
    }
    this.#growing.set(key, growing);
    return growing.builder;
  }

  /** The first entry of the period that an entry lies in: a period's start stays when that is listed no more. */
  async #periodStart(
    stream: Stream,
    { kept }: TimelineState,
    entry: TimelineEntry | undefined,
  ): Promise<PeriodStart | undefined> {
    if (!entry || entry.discontinuity) return entry;
    const { floorPeriod } = kept ?? {};
    if (floorPeriod?.discontinuities === entry.discontinuities) return floorPeriod;
    const key = `${stream.uid}/${entry.discontinuities}`;
    const start =
      this.#periodStarts.get(key) ?? (await findPeriodStart(this.#parts.records, stream, entry));
    if (start) this.#periodStarts.set(key, start);
    return start;
  }
}

/** Names what periods hold beside the entries: renditions, and the silence of those that began later. */
const silencesOf = ({ renditions }: TimelineState): string =>
  Object.entries(renditions)
    .map(([name, { silence }]) => `${name} ${silence?.to ?? ''}`)
    .join();
