/** The entries that sliding playlists list. A warm process keeps them, and reads only what is new. */

import { LRUCache } from 'lru-cache';
import type { Stream } from '../../domain/stream.ts';
import {
  isListedLive,
  type TimelineEntry,
  type TimelineState,
  windowStartTicks,
} from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';

/** `vod`: the whole recording of a stream that has ended. */
export type PlaylistView = 'live' | 'vod';

/** A live playlist that has ended, of a stream that went on later, lies apart. */
export type RenderedView = PlaylistView | `live ${number}`;

type Window = { entries: TimelineEntry[]; next: number };

const PAGE = 500;
const MAX_WINDOWS = 200;

/** Of one stream for one request at a time: see StreamTurns. */
export class EntryWindows {
  readonly #records: Deps['records'];
  readonly #windows = new LRUCache<string, Window>({ max: MAX_WINDOWS });

  constructor(records: Deps['records']) {
    this.#records = records;
  }

  /** The newest entries that together cover the window. */
  async of(
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
        kept.entries.push(...(await this.#records.entries(stream, from, to)));
      }
    } else {
      // Backwards from the end (a cold process, or a window that was made wider), a page at a time.
      const pages: TimelineEntry[][] = [];
      for (let to = nextSequence - 1; to >= floor && !reachesBack(pages[0]?.[0]); to -= PAGE) {
        pages.unshift(await this.#records.entries(stream, Math.max(floor, to - PAGE + 1), to));
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
}
