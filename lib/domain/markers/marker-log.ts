/** The markers of a stream as viewers are shown them: what their changes amount to. */

import type { Marker, MarkerChange } from './marker.ts';

/** A tag that live playlists list, and before which entry. */
export type MarkerTag = Readonly<{ sequence: number; rangeId: string; marker: Marker }>;

type Shown = Readonly<{ id: string; version: number; marker: Marker; tags: readonly MarkerTag[] }>;

export class MarkerLog {
  /** The newest change that is known; 0: none. */
  version = 0;
  /** Counts what took a tag away from playlists: removals, and changes that need another ID. */
  removals = 0;
  readonly #shown = new Map<string, Shown>();
  readonly #removed: { id: string; version: number }[] = [];

  /** Changes must come in the order of their versions. */
  add({ version, sequence, id, rangeId, marker }: MarkerChange): void {
    this.version = version;
    const before = this.#shown.get(id);
    const kept = before?.tags.filter((tag) => tag.rangeId === rangeId && marker) ?? [];
    if (before && kept.length < before.tags.length) this.removals += 1;
    // Behind the others: playlists list tags in the order of the changes.
    this.#shown.delete(id);
    if (marker) {
      const tags = [...kept, { sequence, rangeId, marker }];
      this.#shown.set(id, { id, version, marker, tags });
    } else this.#removed.push({ id, version });
  }

  /** All that are shown, by their start. */
  markers(): readonly Marker[] {
    return [...this.#shown.values()]
      .map(({ marker }) => marker)
      .toSorted((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1));
  }

  /** What is new since a version. */
  since(version: number): Readonly<{ markers: readonly Marker[]; removed: readonly string[] }> {
    const changed = [...this.#shown.values()].filter((one) => one.version > version);
    const removed = this.#removed.filter((one) => one.version > version).map(({ id }) => id);
    return { markers: changed.map(({ marker }) => marker), removed };
  }

  /** In the order in which playlists list them: the tags of one that ends later stand apart. */
  tags(): readonly MarkerTag[] {
    return [...this.#shown.values()]
      .flatMap(({ tags }) => tags)
      .toSorted((a, b) => a.sequence - b.sequence);
  }
}
