/** All captions of a track as one file, whose times are those of the recording. */

import { type CaptionsState, trackNotFound } from '../../domain/caption.ts';
import { type PlacedCue, placeCues } from '../../domain/caption-placement.ts';
import { DomainError } from '../../domain/errors.ts';
import { captionsIn } from '../../domain/presentation.ts';
import { isLongRecording } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import { formatSubRip, formatWebVtt } from '../../playlist/webvtt.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import type { CaptionLogs } from './caption-logs.ts';
import { withOffset } from './caption-segment.ts';
import { closedCaptionsOf } from './closed-captions.ts';
import { recordedEntries } from './recorded-entries.ts';

const PAGE = 500;
/** A function's answer has 6 MB, in which JSON escapes the ends of lines. */
const MAX_CHARACTERS = 4_000_000;
/** Closed captions on the screen together. */
const MAX_AT_ONCE = 4;

export type CaptionFileFormat = 'vtt' | 'srt';

/**
 * `name`: a language, or the name of a track. Of a live stream: what there is so far. Throws
 * `stream_not_found`, `captions_not_found`, and `too_large` for a recording that no request can read.
 */
export async function captionFile(
  deps: Deps,
  logs: CaptionLogs,
  videoId: string,
  name: string,
  format: CaptionFileFormat,
): Promise<string> {
  const { value: stream } = await getStream(deps, videoId);
  const { value: state } = await deps.records.timeline(stream);
  const { version = 0, tracks = {} } = state.captions ?? {};
  const track = chooseTrack(tracks, name);
  if (track === undefined) throw trackNotFound(videoId, name, Object.keys(tracks));
  if (isLongRecording(state, deps.longEntries)) {
    throw new DomainError(
      'too_large',
      `Stream "${videoId}" has ${state.nextSequence} entries, too many to be read for one file.`,
      'Take the segments that its playlist lists.',
    );
  }
  const { channel } = tracks[track] ?? {};
  const log = await logs.of(stream, state);
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
  const text = format === 'vtt' ? formatWebVtt(cues) : formatSubRip(cues);
  if (text.length <= MAX_CHARACTERS) return text;
  throw new DomainError(
    'too_large',
    `The captions have ${text.length} characters, more than an answer holds.`,
    'Take the segments that their playlist lists.',
  );
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
  { records }: Deps,
  stream: Stream,
  { nextSequence, lateArrivals }: TimelineState,
): Promise<ReadonlyMap<number, number> | undefined> {
  if (lateArrivals === 0) return undefined;
  const offsets = new Map<number, number>();
  for (let from = 0; from < nextSequence; ) {
    const page = await records.entries(stream, from, nextSequence - 1, PAGE);
    for (const { sequence, offsetTicks } of page) offsets.set(sequence, offsetTicks);
    from = page.length < PAGE ? nextSequence : (page.at(-1)?.sequence ?? nextSequence) + 1;
  }
  return offsets;
}

/** By its name, else the plainest of a language; forced ones are asked for by their name. */
function chooseTrack(tracks: CaptionsState['tracks'], name: string): string | undefined {
  if (tracks[name]) return name;
  const offered = Object.entries(tracks).map(([track, { language, isForced, isSdh }]) => {
    return { track, language, isForced: isForced ?? false, isSdh: isSdh ?? false };
  });
  return captionsIn(offered, name)?.track;
}
