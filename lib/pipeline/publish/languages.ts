/** Languages that are uploaded on their own, in the entries that the publisher writes. */

import { onWallClock, waitsUntilMs } from '../../domain/languages/language-wait.ts';
import { renditionInitKey, renditionSegmentKey } from '../../domain/object-keys.ts';
import type { Publication } from '../../domain/publication.ts';
import type { SegmentOutcome } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { TICKS_PER_SECOND, ticksToMs } from '../../domain/ticks.ts';
import {
  type EntryRendition,
  isGap,
  type Pieces,
  type RenditionInfo,
  storedBytes,
  type TimelineEntry,
  type TimelineState,
} from '../../domain/timeline.ts';
import { type StoredObject, totalsWith } from '../../domain/timeline-draft.ts';
import type { LanguagePiece } from '../../media/audio/language-piece.ts';
import type { Deps } from '../deps.ts';
import { digestOf } from '../digest.ts';
import { type EntrySpan, LanguageSource } from './language-source.ts';

export type ComposedPiece = Readonly<{
  name: string;
  piece: EntryRendition;
  info: RenditionInfo;
  /** Of the language in the entry; 0: it is silent. */
  frames: number;
  objects: readonly StoredObject[];
}>;

type Place = EntrySpan & Readonly<{ run: number; number: number }>;

/** Times that were added up and taken apart again differ by less. */
const ROUNDING_MS = 0.01;

/** For one request of the publisher. */
export class Languages {
  readonly #stream: Stream;
  readonly #sources: readonly LanguageSource[];
  readonly #nowMs: number;

  constructor(deps: Pick<Deps, 'records' | 'media' | 'clock'>, stream: Stream) {
    const { languages = [] } = stream;
    this.#stream = stream;
    this.#sources = languages.map((track) => new LanguageSource(deps, stream, track));
    this.#nowMs = deps.clock.now();
  }

  /** The state without them, for rules that know of the stream's segments alone. */
  without(state: TimelineState): TimelineState {
    return { ...state, renditions: this.#split(state.renditions).others };
  }

  source(name: string): LanguageSource | undefined {
    return this.#sources.find(({ track }) => track.name === name);
  }

  /** What need not wait for a language, and until when each of the others waits, by its number. */
  async holdBack(
    outcomes: readonly SegmentOutcome[],
    zeroMs: number,
    targetSeconds: number,
  ): Promise<
    Readonly<{ outcomes: readonly SegmentOutcome[]; untilMs: ReadonlyMap<number, number> }>
  > {
    const rendered = outcomes.filter((outcome) => outcome.type === 'rendered');
    const spans = rendered.map((outcome) => onWallClock(outcome, zeroMs));
    const [first] = spans;
    const untilMs = new Map<number, number>();
    if (!first) return { outcomes, untilMs };
    const all = { startMs: first.startMs, endMs: Math.max(...spans.map(({ endMs }) => endMs)) };
    const tracks = await Promise.all(this.#sources.map((source) => source.progress(all)));
    const known = tracks.filter((track) => track !== undefined);
    for (const outcome of rendered) {
      const entry = { ...onWallClock(outcome, zeroMs), readyAtMs: outcome.completedAtMs };
      const waits = known.flatMap(
        (track) => waitsUntilMs(entry, track, 1000 * targetSeconds, this.#nowMs) ?? [],
      );
      if (waits.length > 0) untilMs.set(outcome.number, Math.max(...waits));
    }
    const [held] = untilMs.keys();
    const at = outcomes.findIndex(({ number }) => number === held);
    return { outcomes: at < 0 ? outcomes : outcomes.slice(0, at), untilMs };
  }

  /**
   * The plan with a piece of each language in each of its entries, from the first on that has sound of
   * it. `before`: the state that the plan begins with, languages included.
   */
  async addTo<Plan extends Publication>(
    plan: Plan,
    before: TimelineState,
    targetSeconds: number,
  ): Promise<Plan> {
    let { languages } = this.#split(before.renditions);
    const entries: TimelineEntry[] = [];
    const objects: StoredObject[] = [...plan.objects];
    let bytes = 0;
    for (const entry of plan.entries) {
      const zeroMs = zeroOf(entry, [
        plan.state.zeroProgramDateTimeMs,
        before.zeroProgramDateTimeMs,
        ...entries.slice(-1).map((last) => last.zeroMs ?? 0),
      ]);
      const composed = isGap(entry) ? [] : await this.compose({ ...entry, zeroMs });
      const listed = composed.filter(({ name, frames }) => frames > 0 || languages[name]);
      objects.push(...listed.flatMap((one) => one.objects));
      bytes += listed.reduce((sum, { piece }) => sum + piece.sizeBytes, 0);
      const pieces = piecesByName(listed);
      const { renditions: others, ...rest } = entry;
      entries.push({ ...rest, renditions: { ...others, ...pieces }, zeroMs });
      languages = totalsWith(
        { renditions: languages },
        pieces,
        catalogueOf(listed),
        entry.durationTicks,
        targetSeconds * TICKS_PER_SECOND,
      );
    }
    const renditions = { ...plan.state.renditions, ...languages };
    const state = { ...plan.state, renditions };
    if (bytes > 0) state.storedBytes = storedBytes(plan.state) + bytes;
    return { ...plan, entries, objects, state };
  }

  /** A piece of each language that anything was uploaded of; `name`: of this one alone. */
  async compose(place: Place, name?: string): Promise<ComposedPiece[]> {
    const sources = this.#sources.filter(({ track }) => (name ?? track.name) === track.name);
    const composed = await Promise.all(
      sources.map(async (source) => {
        const made = await source.piece(place);
        return made ? [this.#named(source.track.name, place, made)] : [];
      }),
    );
    return composed.flat();
  }

  #named(name: string, { run, number }: Place, made: LanguagePiece): ComposedPiece {
    const { init, media, info, startTicks = 0, durationTicks = 0, frames } = made;
    const key = renditionSegmentKey(this.#stream, name, run, number, digestOf(media));
    const initKey = renditionInitKey(this.#stream, name, digestOf(init));
    return {
      ...{ name, info, frames },
      piece: { key, initKey, sizeBytes: media.byteLength, startTicks, durationTicks },
      objects: [
        { key, bytes: media },
        { key: initKey, bytes: init },
      ],
    };
  }

  #split(renditions: TimelineState['renditions']) {
    const isLanguage = (name: string): boolean => this.source(name) !== undefined;
    const all = Object.entries(renditions);
    return {
      languages: Object.fromEntries(all.filter(([name]) => isLanguage(name))),
      others: Object.fromEntries(all.filter(([name]) => !isLanguage(name))),
    };
  }
}

export const piecesByName = (composed: readonly ComposedPiece[]): Pieces =>
  Object.fromEntries(composed.map(({ name, piece }) => [name, piece]));

export const catalogueOf = (
  composed: readonly ComposedPiece[],
): Readonly<Record<string, RenditionInfo>> =>
  Object.fromEntries(composed.map(({ name, info }) => [name, info]));

/**
 * The wall clock of an entry's time zero: the very number of its neighbours where it is the same, so that
 * no frame at a cut is in both or in none.
 */
export function zeroOf(
  {
    startTicks,
    programDateTimeMs,
    zeroMs,
  }: Pick<TimelineEntry, 'startTicks' | 'programDateTimeMs' | 'zeroMs'>,
  known: readonly number[] = [],
): number {
  const ownMs = zeroMs ?? programDateTimeMs - ticksToMs(startTicks);
  return known.find((one) => Math.abs(one - ownMs) < ROUNDING_MS) ?? ownMs;
}

/** Of a run that has no entry yet: as its encoder says it, else by the arrival of its first segment. */
export function zeroOfRun(
  { anchorMs, anchorTicks }: Pick<Run, 'anchorMs' | 'anchorTicks'>,
  outcomes: readonly SegmentOutcome[],
): number {
  const first = outcomes.find((outcome) => outcome.type === 'rendered');
  const saidMs = first?.programDateTimeMs;
  if (first && saidMs !== undefined) return saidMs - ticksToMs(first.startTicks);
  return anchorMs - ticksToMs(anchorTicks);
}
