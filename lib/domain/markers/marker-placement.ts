/** Where live playlists list the tags of markers. Pure. */

import { overlaps } from './marker.ts';
import type { MarkerTag } from './marker-log.ts';

type Placed = Readonly<{ sequence: number; programDateTimeMs: number }>;

/**
 * Gives each entry in turn the tags that stand before it, and at the end those behind the last. A tag stays
 * where it was listed first: before the entry that was next then. What lies before the first entry, by
 * the wall clock, is left out. Both in order.
 */
export class TagPlacement {
  readonly #tags: readonly MarkerTag[];
  #next = 0;

  /** `from`: the first entry listed; `after`: sequences up to it have been taken before. */
  constructor(tags: readonly MarkerTag[], from: Placed | undefined, after = -1) {
    const fromMs = from?.programDateTimeMs ?? Number.NEGATIVE_INFINITY;
    this.#tags = tags.filter(
      ({ marker, sequence }) =>
        sequence > after && overlaps(marker, fromMs, Number.POSITIVE_INFINITY),
    );
  }

  before({ sequence }: Pick<Placed, 'sequence'>): readonly MarkerTag[] {
    return this.#take((tag) => tag.sequence <= sequence);
  }

  rest(): readonly MarkerTag[] {
    return this.#take(() => true);
  }

  #take(belongs: (tag: MarkerTag) => boolean): readonly MarkerTag[] {
    const from = this.#next;
    for (let tag = this.#tags[from]; tag && belongs(tag); tag = this.#tags[this.#next]) {
      this.#next += 1;
    }
    return this.#tags.slice(from, this.#next);
  }
}
