/** The markers of streams as viewers are shown them. A warm process keeps them, and reads only what is new. */

import { LRUCache } from 'lru-cache';
import { MarkerLog } from '../../domain/markers/marker-log.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { markerChanges } from '../records/marker-records.ts';

const PAGE = 500;
const MAX_STREAMS = 200;

export class MarkerLogs {
  readonly #deps: Pick<Deps, 'store'>;
  readonly #logs = new LRUCache<string, MarkerLog>({ max: MAX_STREAMS });
  readonly #reading = new Map<string, Promise<unknown>>();

  constructor(deps: Pick<Deps, 'store'>) {
    this.#deps = deps;
  }

  /** With the changes that the state counts, at least. */
  async of(
    stream: Stream,
    { markerVersion = 0, expiredChanges = 0 }: TimelineState,
  ): Promise<MarkerLog> {
    // Without those that have expired it is another log.
    const key = `${stream.uid}/${expiredChanges}`;
    const log = this.#logs.get(key) ?? new MarkerLog();
    this.#logs.set(key, log);
    while (log.version < markerVersion) {
      // Requests that come together wait for one reading.
      const reading = this.#reading.get(key) ?? this.#read(stream, log);
      this.#reading.set(key, reading);
      await reading.finally(() => this.#reading.delete(key));
    }
    return log;
  }

  async #read(stream: Stream, log: MarkerLog): Promise<void> {
    const changes = await markerChanges(this.#deps, stream, log.version + 1, PAGE);
    if (changes.length === 0) {
      throw new Error(`Change ${log.version + 1} of the markers of ${stream.videoId} is missing.`);
    }
    for (const change of changes) log.add(change);
  }
}
