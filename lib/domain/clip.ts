/** A clip: a span of a stream's recording, from one moment up to another. Pure. */

import { DomainError } from './errors.ts';
import type { RecordedEntry } from './recording.ts';
import { TICKS_PER_SECOND, ticksToMs, ticksToSeconds } from './ticks.ts';
import { isGap, type TimelineState } from './timeline.ts';

/** From the start of the stream, or by the wall clock. */
export type ClipBound = Readonly<{ offsetTicks: number } | { instantMs: number }>;

/** `from` belongs to the clip, `to` does not. Left out: the start of the stream, and its end. */
export type ClipBounds = Readonly<{ from?: ClipBound | undefined; to?: ClipBound | undefined }>;

/** The part of an entry that a clip has: from `fromTicks` up to `toTicks` on the timeline. */
export type ClipEntry = Readonly<{ entry: RecordedEntry; fromTicks: number; toTicks: number }>;

/** Bounds are written in milliseconds, and frames begin between those: nearer to a bound is at it. */
export const BOUND_SLACK_TICKS = TICKS_PER_SECOND / 1000;

/** Entries that a playlist of a clip may have: what recordings without a worker have, too. */
export const MAX_CLIP_ENTRIES = 20_000;

/** Ticks from the start of an entry to a bound; negative: it lies before. */
export const distanceOf = (
  { offsetTicks, programDateTimeMs }: Pick<RecordedEntry, 'offsetTicks' | 'programDateTimeMs'>,
  bound: ClipBound,
): number =>
  'instantMs' in bound
    ? Math.round((bound.instantMs - programDateTimeMs) * ticksPerMs)
    : bound.offsetTicks - offsetTicks;

const ticksPerMs = TICKS_PER_SECOND / 1000;

/** What a clip has of an entry; undefined: nothing. */
export function partOf(entry: RecordedEntry, { from, to }: ClipBounds): ClipEntry | undefined {
  const { startTicks, durationTicks } = entry;
  const fromTicks = startTicks + Math.max(0, from ? distanceOf(entry, from) : 0);
  const end = to ? Math.min(durationTicks, distanceOf(entry, to)) : durationTicks;
  const toTicks = startTicks + end;
  return toTicks - fromTicks > BOUND_SLACK_TICKS ? { entry, fromTicks, toTicks } : undefined;
}

/** Whether an entry, and with it all behind it, lies behind a clip. */
export const isBehind = (entry: RecordedEntry, { to }: ClipBounds): boolean =>
  to !== undefined && distanceOf(entry, to) <= 0;

/** Takes the entries of a recording in their order and gives those of a clip, which neither begins nor ends with a gap. */
export class ClipSelection {
  readonly #bounds: ClipBounds;
  #gaps: ClipEntry[] = [];
  #hasBegun = false;

  constructor(bounds: ClipBounds) {
    this.#bounds = bounds;
  }

  add(entry: RecordedEntry): readonly ClipEntry[] {
    const part = partOf(entry, this.#bounds);
    if (!part) return [];
    if (isGap(entry)) {
      if (this.#hasBegun) this.#gaps.push(part);
      return [];
    }
    const gaps = this.#gaps;
    this.#gaps = [];
    this.#hasBegun = true;
    return [...gaps, part];
  }
}

type Extent = Pick<TimelineState, 'endOffsetTicks' | 'endProgramDateTimeMs' | 'endedAtMs'> &
  Partial<Pick<TimelineState, 'startedAtMs'>>;

/** Throws `bad_request` for bounds that are no span, and `moment_not_found` for one that a live stream has not reached. */
export function checkBounds({ from, to }: ClipBounds, state: Extent): void {
  const isReversed =
    from &&
    to &&
    ('instantMs' in from
      ? 'instantMs' in to && from.instantMs >= to.instantMs
      : 'offsetTicks' in to && from.offsetTicks >= to.offsetTicks);
  if (isReversed) {
    throw new DomainError(
      'bad_request',
      'The clip ends before it begins.',
      'Send a "to" that is later than "from".',
    );
  }
  // A stream that has ended has no more; a clip of it ends with it.
  if (state.endedAtMs !== undefined) return;
  if (!to) {
    throw new DomainError(
      'bad_request',
      'The stream is live, so a clip of it needs an end.',
      `Send a "to" of up to ${ticksToSeconds(state.endOffsetTicks).toFixed(3)}, or wait for the end of the stream.`,
    );
  }
  const missingMs =
    'instantMs' in to
      ? to.instantMs - state.endProgramDateTimeMs
      : ticksToMs(to.offsetTicks - state.endOffsetTicks);
  if (missingMs <= ticksToMs(BOUND_SLACK_TICKS)) return;
  throw new DomainError(
    'moment_not_found',
    `The clip ends ${(missingMs / 1000).toFixed(3)} s behind what there is of the stream.`,
    `It has ${extentOf(state)} so far; ask again when it has more.`,
  );
}

/** Of a clip without any entry. */
export const nothingThere = (state: Extent): DomainError =>
  new DomainError(
    'moment_not_found',
    'The stream has nothing to show in this span.',
    `It has ${extentOf(state)}; where segments never came, there is a gap.`,
  );

export const tooLong = (entries: number): DomainError =>
  new DomainError(
    'clip_too_long',
    `The clip has more than ${entries} segments.`,
    'Ask for a shorter one, or for the whole recording: /viewstream/metadata/{videoId}.m3u8.',
  );

function extentOf({ endOffsetTicks, startedAtMs = 0 }: Extent): string {
  const seconds = ticksToSeconds(endOffsetTicks).toFixed(3);
  return `${seconds} s, from ${new Date(startedAtMs).toISOString()} on`;
}
