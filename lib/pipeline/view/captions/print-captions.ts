/** All captions of a track as one text, whose times are those of the recording. */

import { type PlacedCue, placeCues } from '../../../domain/captions/caption-placement.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import { formatSubRip, formatWebVtt } from '../../../playlist/webvtt.ts';
import type { Deps } from '../../deps.ts';
import type { CaptionFormat } from '../../jobs/caption-file.ts';
import { recordedEntries } from '../recorded-entries.ts';
import type { CaptionLogs } from './caption-logs.ts';
import { withOffset } from './captioned-entry.ts';
import { closedCaptionsOf } from './closed-captions.ts';

const PAGE = 500;
/** Closed captions on the screen together. */
const MAX_AT_ONCE = 4;

type Parts = Pick<Deps, 'records' | 'store'>;

/** Reads all entries. */
export async function printCaptions(
  deps: Parts,
  logs: CaptionLogs,
  stream: Stream,
  state: TimelineState,
  { track, format, version }: Readonly<{ track: string; format: CaptionFormat; version: number }>,
): Promise<string> {
  const { channel } = state.captions?.tracks[track] ?? {};
  const log = await logs.of(stream, state, version);
  const offsets = await liveOffsets(deps, stream, state);
  const found = new Map<string, PlacedCue>();
  for await (const entry of recordedEntries(deps.records, stream, state)) {
    const live =
      entry.sequence === undefined
        ? await withOffset(deps, stream, state.nextSequence, entry)
        : { ...entry, offsetTicks: offsets?.get(entry.sequence) ?? entry.offsetTicks };
    const shift = entry.offsetTicks - entry.startTicks;
    const cues = channel
      ? await closedCaptionsOf(deps, stream, entry, channel)
      : placeCues(log, live, { track, version, since: version });
    for (const cue of cues) {
      // The first entry that shows it says when: it may end behind a discontinuity.
      const moved = { ...cue, from: cue.from + shift, to: cue.to + shift };
      if (!found.has(cue.key)) found.set(cue.key, moved);
    }
  }
  const sorted = [...found.values()].toSorted((a, b) => a.from - b.from || a.to - b.to);
  const cues = channel ? joined(sorted) : sorted;
  return format === 'vtt' ? formatWebVtt(cues) : formatSubRip(cues);
}

/** Closed captions are cut at each entry: here they are whole again. */
function joined(cues: readonly PlacedCue[]): PlacedCue[] {
  const whole: PlacedCue[] = [];
  for (const cue of cues) {
    const { from, to, text, settings } = cue;
    const before = whole
      .slice(-MAX_AT_ONCE)
      .find((one) => one.to === from && one.text === text && one.settings === settings);
    if (before) whole[whole.indexOf(before, -MAX_AT_ONCE)] = { ...before, to };
    else whole.push(cue);
  }
  return whole;
}

/** Of entries by sequence; undefined: those of the recording are the same, as nothing came late. */
async function liveOffsets(
  { records }: Pick<Deps, 'records'>,
  stream: Stream,
  { nextSequence, lateArrivals }: TimelineState,
): Promise<ReadonlyMap<number, number> | undefined> {
  if (lateArrivals === 0) return undefined;
  const offsets = new Map<number, number>();
  // By number of entries, not by sequence: removed ones leave holes.
  for (let from = 0; from < nextSequence; ) {
    const page = await records.entries(stream, from, nextSequence - 1, PAGE);
    for (const { sequence, offsetTicks } of page) offsets.set(sequence, offsetTicks);
    from = page.length < PAGE ? nextSequence : (page.at(-1)?.sequence ?? nextSequence) + 1;
  }
  return offsets;
}
