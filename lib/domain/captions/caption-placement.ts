/** Which cues a segment of a caption track has, and when, by the clock of its entry. Pure. */

import { TICKS_PER_SECOND } from '../ticks.ts';
import type { TimelineEntry } from '../timeline.ts';
import type { CaptionLog, ClockSpan, KeptCue } from './caption-log.ts';

/** `offsetTicks`: from the start of the stream, in the live timeline; undefined: it never was there. */
export type CaptionedEntry = Readonly<
  Pick<TimelineEntry, 'run' | 'startTicks' | 'durationTicks' | 'programDateTimeMs'>
> &
  Readonly<{ offsetTicks?: number | undefined; discontinuity?: boolean }>;

/** `from` and `to` by the clock of the entry (`startTicks`), in ticks. */
export type PlacedCue = Pick<KeptCue, 'key' | 'from' | 'to' | 'text' | 'settings' | 'header'> &
  Readonly<{
    /** It became known after the entries before were listed, so that none of them has its beginning. */
    isLate?: true;
  }>;

/** `since`: viewers were shown that version with the entry before. */
export type CaptionView = Readonly<{ track: string; version: number; since: number }>;

/** Of one segment: nobody reads more, and an answer has an end. */
const MAX_CUES = 1000;

/** How far back of the live edge a player may be that has not passed a cue that comes late. */
const LATE_TICKS = 60 * TICKS_PER_SECOND;

/**
 * The cues that are shown during the entry, with their whole times. Live also those that became known since
 * the entry before was listed, and belong to earlier ones: players hold back some target durations, so
 * that they are still in time. Behind a discontinuity times of earlier entries are of another clock.
 */
export function placeCues(
  log: CaptionLog,
  entry: CaptionedEntry,
  { track, version, since }: CaptionView,
): PlacedCue[] {
  const { startTicks, durationTicks, discontinuity = false } = entry;
  const isLate = since < version && !discontinuity;
  const placed = originsOf(entry).flatMap(({ clock, from: origin }) => {
    const from = isLate ? origin - LATE_TICKS : origin;
    const found = log.cues(track, version, { clock, from, to: origin + durationTicks });
    return found
      .filter((cue) => cue.to > origin || cue.since > since)
      .map((cue) => {
        const { key, text, settings, header } = cue;
        const isNew = isLate && cue.since > since;
        const shift = startTicks - origin;
        const times = { from: cue.from + shift, to: cue.to + shift };
        return {
          ...{ key, ...times, text, header },
          ...(settings !== undefined && { settings }),
          ...(isNew && { isLate: true as const }),
        };
      });
  });
  const inOrder = placed.toSorted((a, b) => a.from - b.from || a.to - b.to);
  return withoutTwins(inOrder).slice(0, MAX_CUES);
}

/** The start of the entry by each clock. */
function originsOf(entry: CaptionedEntry): Omit<ClockSpan, 'to'>[] {
  const { run, startTicks, programDateTimeMs, offsetTicks } = entry;
  return [
    ...(offsetTicks === undefined ? [] : [{ clock: 'start' as const, from: offsetTicks }]),
    { clock: 'wall', from: Math.round(programDateTimeMs * 90) },
    { clock: `run ${run}`, from: startTicks },
  ];
}

/** An encoder that sends pieces repeats in the next what goes on there. */
function withoutTwins(cues: readonly PlacedCue[]): PlacedCue[] {
  const seen = new Set<string>();
  return cues.filter(({ from, to, text, settings }) => {
    const content = [from, to, settings, text].join('\n');
    return !seen.has(content) && seen.add(content);
  });
}
