/** A segment of captions, printed when it is asked for. What its address names never changes. */

import {
  type CaptionedEntry,
  type PlacedCue,
  placeCues,
} from '../../../domain/captions/caption-placement.ts';
import { DomainError } from '../../../domain/errors.ts';
import { type CaptionSegmentName, parseCaptionSegmentName } from '../../../domain/object-keys.ts';
import type { Stream } from '../../../domain/stream.ts';
import { ticksToMs } from '../../../domain/ticks.ts';
import type { TimelineEntry, TimelineState } from '../../../domain/timeline.ts';
import { formatCaptionSegment } from '../../../playlist/webvtt.ts';
import { getStream } from '../../auth.ts';
import type { Deps } from '../../deps.ts';
import type { CaptionLogs } from './caption-logs.ts';
import { withOffset } from './captioned-entry.ts';
import { closedCaptionsOf } from './closed-captions.ts';
import { cutToPeriod } from './period-captions.ts';

/**
 * WebVTT as text, or in a fragment of ISO BMFF, as the name says. Throws `stream_not_found`, and
 * `captions_not_found` for what no playlist lists.
 */
export async function captionSegment(
  deps: Deps,
  logs: CaptionLogs,
  videoId: string,
  track: string,
  name: string,
): Promise<string | Uint8Array> {
  const { value: stream } = await getStream(deps, videoId);
  const { value: state } = await deps.records.timeline(stream);
  const wanted = parseCaptionSegmentName(name);
  const { version: newest = 0 } = state.captions ?? {};
  const isKnown = wanted?.uid === stream.uid && wanted.version <= newest;
  const entry = isKnown ? await findEntry(deps, stream, wanted.entry) : undefined;
  if (!wanted || !entry) throw segmentNotFound(name);
  const { channel } = state.captions?.tracks[track] ?? {};
  const cues = channel
    ? await closedCaptionsOf(deps, stream, entry, channel)
    : await uploadedCues(deps, logs, stream, state, entry, track, wanted);
  const { startTicks, durationTicks } = entry;
  if (wanted.format === 'vtt') return formatCaptionSegment(cues, startTicks);
  const { webVttFragment } = await import('../../../media/mux/webvtt-track.ts');
  // The segments before have what goes on here, and those behind have the rest.
  const own = cues.map((cue) =>
    cue.isLate ? cue : { ...cue, from: Math.max(cue.from, startTicks) },
  );
  return webVttFragment(own, startTicks, startTicks + durationTicks);
}

async function uploadedCues(
  deps: Deps,
  logs: CaptionLogs,
  stream: Stream,
  state: TimelineState,
  entry: TimelineEntry | LatePiece,
  track: string,
  wanted: CaptionSegmentName,
): Promise<readonly PlacedCue[]> {
  const { nextSequence: length } = state;
  const log = await logs.of(stream, state, wanted.version);
  const captioned = await withOffset(deps, stream, length, entry);
  const placed = placeCues(log, captioned, { track, ...wanted });
  return entry.sequence === undefined
    ? placed
    : cutToPeriod(deps, stream, length, entry, placed, wanted.isCut ?? false);
}

const segmentNotFound = (name: string): DomainError =>
  new DomainError(
    'captions_not_found',
    `"${name.slice(0, 100)}" is no segment of captions.`,
    'Use the URIs of the playlist; ask for the whole as de.vtt.',
  );

type Place = Readonly<{
  sequence?: number | undefined;
  run: number;
  number: number;
  startTicks: number;
}>;

type LatePiece = CaptionedEntry & Readonly<{ number: number; sequence?: undefined }>;

/** Of the timeline, or a piece of a late arrival. */
async function findEntry(
  { records }: Deps,
  stream: Stream,
  { sequence, run, number, startTicks }: Place,
): Promise<TimelineEntry | LatePiece | undefined> {
  if (sequence !== undefined) return records.entry(stream, sequence);
  const late = (await records.findLateArrival(stream, run, number))?.value;
  if (!late) return undefined;
  const piece = (late.pieces ?? [late]).find((one) => one.startTicks === startTicks);
  if (!piece) return undefined;
  const { durationTicks } = piece;
  const programDateTimeMs = late.programDateTimeMs + ticksToMs(startTicks - late.startTicks);
  return { run, number, startTicks, durationTicks, programDateTimeMs };
}
