/** The captions of streams as viewers are shown them. A warm process keeps them, and reads only what is new. */

import { LRUCache } from 'lru-cache';
import type { CueSet } from '../../../domain/captions/caption.ts';
import { type CaptionChange, CaptionLog } from '../../../domain/captions/caption-log.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { Deps } from '../../deps.ts';
import { captionChanges } from '../../records/caption-records.ts';

const PAGE = 100;
/** One with as many cues as a stream may have takes tens of megabytes. */
const MAX_STREAMS = 10;

type Parts = Pick<Deps, 'store' | 'media'>;

export class CaptionLogs {
  readonly #deps: Parts;
  readonly #logs = new LRUCache<string, CaptionLog>({ max: MAX_STREAMS });
  readonly #reading = new Map<string, Promise<unknown>>();

  constructor(deps: Parts) {
    this.#deps = deps;
  }

  /** With the changes up to a version, at least. */
  async of(
    stream: Stream,
    { captions }: Pick<TimelineState, 'captions'>,
    version = captions?.version ?? 0,
  ): Promise<CaptionLog> {
    // What has expired is forgotten.
    const key = `${stream.uid}/${captions?.expiredChanges ?? 0}`;
    const log = this.#logs.get(key) ?? new CaptionLog();
    this.#logs.set(key, log);
    while (log.version < version) {
      // Requests that come together wait for one reading.
      const reading = this.#reading.get(key) ?? this.#read(stream, log);
      this.#reading.set(key, reading);
      await reading.finally(() => this.#reading.delete(key));
    }
    return log;
  }

  async #read(stream: Stream, log: CaptionLog): Promise<void> {
    const changes = await captionChanges(this.#deps, stream, log.version + 1, PAGE);
    if (changes.length === 0) {
      throw new Error(`Change ${log.version + 1} of the captions of ${stream.videoId} is missing.`);
    }
    const contents = await Promise.all(changes.map((change) => this.#content(change)));
    for (const [index, change] of changes.entries()) log.add(change, contents[index]);
  }

  async #content({ content }: CaptionChange): Promise<CueSet | undefined> {
    if (!content || !('key' in content)) return content;
    const bytes = await this.#deps.media.get(content.key);
    // Of cues that have expired: retention removes it before the change that names it.
    if (!bytes) return undefined;
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  }
}
