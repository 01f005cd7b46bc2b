/**
 * The captions of a stream as their changes leave them, at any version: segments that were printed with an
 * older version can be printed again as they were.
 */

import { TICKS_PER_SECOND } from '../ticks.ts';
import type { Cue, CueClock, CueSet } from './caption.ts';

/**
 * One change that viewers are shown. Changes are numbered without holes and never change, so a process
 * that knows those up to one version reads only what is new.
 */
export type CaptionChange = Readonly<{
  version: number;
  track: string;
  /** Name of the set within the track; absent: all sets of the track are removed. */
  set?: string;
  /** In the place of what the set was; absent: removed. */
  content?: CueSet | Readonly<{ key: string }>;
}>;

export type KeptCue = Cue &
  Readonly<{
    /** Unique within the stream, and the same in all segments. */
    key: string;
    header: string | undefined;
    /** The versions that have it: up to the one before `until`. */
    since: number;
  }>;

type Kept = KeptCue & { until: number };

/** From `from` up to `to`, by one clock. */
export type ClockSpan = Readonly<{ clock: CueClock; from: number; to: number }>;

const MINUTE_TICKS = 60 * TICKS_PER_SECOND;

export class CaptionLog {
  /** The newest change that is known; 0: none. */
  version = 0;
  /** By track and set, as they are now. */
  readonly #sets = new Map<string, Map<string, Kept[]>>();
  /** By track, clock and minute. */
  readonly #index = new Map<string, Kept[]>();

  /** Changes must come in the order of their versions; `content` is what the change has, or its object. */
  add({ version, track, set }: CaptionChange, content: CueSet | undefined): void {
    this.version = version;
    const sets = this.#sets.get(track) ?? new Map<string, Kept[]>();
    this.#sets.set(track, sets);
    for (const name of set === undefined ? [...sets.keys()] : [set]) {
      for (const cue of sets.get(name) ?? []) cue.until = version;
      sets.delete(name);
    }
    if (set === undefined || !content) return;
    const { clock, header, cues } = content;
    const kept = cues.map((cue, index): Kept => {
      // An author's id is kept where a style may name it.
      const key = header && cue.id ? cue.id : `c${version}-${index}`;
      return { ...cue, key, header, since: version, until: Number.POSITIVE_INFINITY };
    });
    sets.set(set, kept);
    for (const cue of kept) {
      for (const minute of minutesOf(cue.from, cue.to)) {
        const at = indexKey(track, clock, minute);
        const list = this.#index.get(at);
        if (list) list.push(cue);
        else this.#index.set(at, [cue]);
      }
    }
  }

  /** The newest version that differs from the one before within any of the spans; 0: none does. */
  newestIn(spans: readonly ClockSpan[]): number {
    let newest = 0;
    for (const { clock, from, to } of spans) {
      for (const [key, cues] of this.#index) {
        if (!key.includes(`/${clock}/`)) continue;
        for (const cue of cues) {
          if (cue.from >= to || cue.to <= from) continue;
          newest = Math.max(newest, cue.since, Number.isFinite(cue.until) ? cue.until : 0);
        }
      }
    }
    return newest;
  }

  /** Cues of a track that lie in a span in part at least, as of a version, by their start. */
  cues(track: string, version: number, { clock, from, to }: ClockSpan): readonly KeptCue[] {
    const found = new Set<KeptCue>();
    for (const minute of minutesOf(from, to)) {
      for (const cue of this.#index.get(indexKey(track, clock, minute)) ?? []) {
        const isThere = cue.since <= version && version < cue.until;
        if (isThere && cue.from < to && from < cue.to) found.add(cue);
      }
    }
    return [...found].toSorted((a, b) => a.from - b.from || a.since - b.since);
  }
}

const indexKey = (track: string, clock: CueClock, minute: number): string =>
  `${track}/${clock}/${minute}`;

function minutesOf(from: number, to: number): number[] {
  const first = Math.floor(from / MINUTE_TICKS);
  const last = Math.floor((to - 1) / MINUTE_TICKS);
  return Array.from({ length: Math.max(0, last - first) + 1 }, (_, index) => first + index);
}
