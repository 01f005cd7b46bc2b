/**
 * Entries as periods: what DASH prints. A period lasts from one discontinuity to the next, and each of its
 * renditions has one init segment, and pieces that are named by their time. Pure.
 */

import { spritesName } from './dash-addresses.ts';
import type { ThumbnailGrid, Thumbnails } from './pictures/thumbnails.ts';
import { type ListedEntry, pieceLister } from './presentation.ts';
import type { PeriodStart } from './retention/kept.ts';
import { secondsToTicks, ticksToMs } from './ticks.ts';
import { isGap, type TimelineState } from './timeline.ts';

export type PeriodEntry = ListedEntry &
  Readonly<{
    run: number;
    programDateTimeMs: number;
    discontinuity: boolean;
    discontinuities: number;
    thumbnails?: Thumbnails;
  }>;

/** Pieces in a row that last equally long. */
export type PieceRow = Readonly<{ startTicks: number; durationTicks: number; count: number }>;

/** `rows`: in order; between two that do not meet there is a gap. */
export type PeriodRendition = Readonly<{ name: string; initKey: string; rows: PieceRow[] }>;

/** Sprites that are divided alike, which all of a Representation are. */
export type PeriodSprites = Readonly<{ name: string; grid: ThumbnailGrid; rows: PieceRow[] }>;

export type Period = Readonly<{
  /** Of all its entries. These name it in a live view, and with the run in any view. */
  discontinuities: number;
  run: number;
  /** Of its first entry, whether or not that is still listed. */
  startTicks: number;
  programDateTimeMs: number;
  /** Of its last entry. */
  endTicks: number;
  /** Only those that have pieces of their own: no other stands in for what is missing. */
  renditions: ReadonlyMap<string, PeriodRendition>;
  /** Entries that are no gaps: each has a segment of each track of captions. */
  rows: readonly PieceRow[];
  sprites: ReadonlyMap<string, PeriodSprites>;
  /** Wall clock of its media time: from each of these on it is counted. */
  clock: readonly ClockPoint[];
}>;

type ClockPoint = Readonly<{ ticks: number; ms: number }>;

type OpenPeriod = Omit<Period, 'endTicks' | 'renditions' | 'rows' | 'sprites' | 'clock'> & {
  endTicks: number;
  renditions: Map<string, PeriodRendition>;
  rows: PieceRow[];
  sprites: Map<string, PeriodSprites>;
  clock: ClockPoint[];
};

type SilenceKey = Parameters<typeof pieceLister>[2];

/** Takes entries in their order. */
export class PeriodBuilder {
  readonly #periods: OpenPeriod[] = [];
  readonly #first: PeriodStart | undefined;
  readonly #listers: readonly (readonly [string, ReturnType<typeof pieceLister>])[];

  /** `first`: of the period that the first entry added lies in, if that is another. */
  constructor(
    state: Pick<TimelineState, 'renditions'>,
    silenceKey: SilenceKey,
    first?: PeriodStart,
  ) {
    this.#first = first;
    this.#listers = Object.keys(state.renditions).map((name) => [
      name,
      pieceLister(state, name, silenceKey),
    ]);
  }

  get periods(): readonly Period[] {
    return this.#periods;
  }

  add(entry: PeriodEntry): void {
    const last = this.#periods.at(-1);
    const goesOn =
      last &&
      !entry.discontinuity &&
      entry.discontinuities === last.discontinuities &&
      !this.#hasOtherInit(last, entry);
    const period = goesOn ? last : this.#begin(last ? entry : (this.#first ?? entry));
    period.endTicks = entry.startTicks + entry.durationTicks;
    setClock(period.clock, entry);
    if (!isGap(entry)) addPiece(period.rows, entry.startTicks, entry.durationTicks);
    if (entry.thumbnails) addSprite(period.sprites, entry.thumbnails, entry);
    for (const { name, piece } of this.#piecesOf(entry)) {
      const { startTicks = entry.startTicks, durationTicks = entry.durationTicks } = piece;
      const known = period.renditions.get(name) ?? { name, initKey: piece.initKey, rows: [] };
      period.renditions.set(name, known);
      addPiece(known.rows, startTicks, durationTicks);
    }
  }

  /** Each rendition's own: a fallback's piece is offered by its own name. */
  #piecesOf(entry: PeriodEntry) {
    return this.#listers.flatMap(([name, listPiece]) => {
      const { rendition, piece } = listPiece(entry);
      return piece && rendition === name ? [{ name, piece }] : [];
    });
  }

  /**
   * A Representation has one init segment. The publisher makes a discontinuity where a rendition's own init
   * segment changes; in a recording what came late may bring another one.
   */
  #hasOtherInit({ renditions }: OpenPeriod, entry: PeriodEntry): boolean {
    return this.#piecesOf(entry).some(({ name, piece }) => {
      const known = renditions.get(name);
      return known !== undefined && known.initKey !== piece.initKey;
    });
  }

  #begin(first: PeriodStart): OpenPeriod {
    const { discontinuities, run, startTicks, programDateTimeMs } = first;
    const period: OpenPeriod = {
      ...{ discontinuities, run, startTicks, programDateTimeMs },
      endTicks: startTicks,
      renditions: new Map(),
      rows: [],
      sprites: new Map(),
      clock: [{ ticks: startTicks, ms: programDateTimeMs }],
    };
    this.#periods.push(period);
    return period;
  }
}

function addPiece(rows: PieceRow[], startTicks: number, durationTicks: number): void {
  const last = rows.at(-1);
  const isNext =
    last?.durationTicks === durationTicks &&
    last.startTicks + last.count * durationTicks === startTicks;
  if (isNext) rows[rows.length - 1] = { ...last, count: last.count + 1 };
  else rows.push({ startTicks, durationTicks, count: 1 });
}

function addSprite(
  sprites: Map<string, PeriodSprites>,
  grid: ThumbnailGrid,
  { startTicks, durationTicks }: PeriodEntry,
): void {
  const name = spritesName(grid);
  const known = sprites.get(name) ?? { name, grid, rows: [] };
  sprites.set(name, known);
  addPiece(known.rows, startTicks, durationTicks);
}

/** Less is what rounding amounts to. */
const CLOCK_STEP_MS = 1;

function setClock(clock: ClockPoint[], { startTicks, programDateTimeMs: ms }: PeriodEntry): void {
  const last = clock.at(-1);
  const countedMs = last ? last.ms + ticksToMs(startTicks - last.ticks) : Number.NaN;
  if (!(Math.abs(ms - countedMs) <= CLOCK_STEP_MS)) clock.push({ ticks: startTicks, ms });
}

/** The period that is on at an instant of the wall clock, also in the pause behind it; before all, the first. */
export const periodAt = (periods: readonly Period[], instantMs: number): Period | undefined =>
  periods.findLast(({ programDateTimeMs }) => programDateTimeMs <= instantMs) ?? periods[0];

/** The media time at an instant, in ticks; before the period and behind it counted on. */
export function ticksAt({ clock }: Pick<Period, 'clock'>, instantMs: number): number {
  const index = Math.max(
    0,
    clock.findLastIndex(({ ms }) => ms <= instantMs),
  );
  const { ticks = 0, ms = 0 } = clock[index] ?? {};
  const counted = ticks + secondsToTicks((instantMs - ms) / 1000);
  return Math.min(counted, clock[index + 1]?.ticks ?? counted);
}
