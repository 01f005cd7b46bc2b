/** An MPD from a timeline's state and the periods that it lists. */

import { type SegmentPlace, segmentTemplate } from '../../domain/dash-addresses.ts';
import type { MarkerTag } from '../../domain/markers/marker-log.ts';
import { captionInitKey, silenceKey } from '../../domain/object-keys.ts';
import { type Period, PeriodBuilder } from '../../domain/period.ts';
import { presentationOf } from '../../domain/presentation.ts';
import type { PeriodStart } from '../../domain/retention/kept.ts';
import { type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import { isSliding, type TimelineState } from '../../domain/timeline.ts';
import { formatMpd } from '../../playlist/dash-mpd.ts';
import type { DashUris } from '../../playlist/dash-segment-timeline.ts';
import type { DefaultLanguages, ManifestView } from './dash-manifests.ts';
import { uriOf } from './listed-segment.ts';
import { markerView } from './marker-list.ts';

/** `first`: of the period in which the first entry added lies. */
export const periodBuilder = (
  stream: Stream,
  state: TimelineState,
  first?: PeriodStart,
): PeriodBuilder => new PeriodBuilder(state, (...at) => silenceKey(stream, ...at), first);

export function liveManifest(
  stream: Stream,
  state: TimelineState,
  periods: readonly Period[],
  markers: readonly MarkerTag[],
  { showsEnd, location, languages }: Pick<ManifestView, 'showsEnd' | 'location' | 'languages'>,
): string {
  const { startedAtMs = 0, newestHops, endProgramDateTimeMs } = state;
  const { markerVersion = 0, captions } = state;
  const { recordedAtMs, listedAtMs } = newestHops ?? {
    recordedAtMs: endProgramDateTimeMs,
    listedAtMs: endProgramDateTimeMs,
  };
  const live = {
    // Each change makes it later; those of markers and captions have no time of their own.
    publishTimeMs: listedAtMs + markerVersion + (captions?.version ?? 0),
    lagMs: listedAtMs - recordedAtMs,
    windowMs: windowMs(stream, state, periods),
    location,
    clockUri: '/time',
  };
  return formatMpd({
    ...commonOf(stream, state, periods, markers, languages),
    startMs: startedAtMs,
    live: showsEnd ? undefined : live,
  });
}

/**
 * A window that was made wider fills by and by, as what has left it is not listed again, and one that begins
 * with a gap has nothing there. Undefined: all is listed.
 */
function windowMs(
  stream: Stream,
  state: TimelineState,
  periods: readonly Period[],
): number | undefined {
  const wantedMs = isSliding(state) ? ticksToMs(state.dvrWindowTicks) : undefined;
  const [oldest] = periods;
  if (!oldest) return wantedMs;
  const [first = oldest] = oldest.rows;
  const goneMs = ticksToMs(first.startTicks - oldest.startTicks);
  // The start of the stream is rounded alike.
  const hasAll = Math.round(oldest.programDateTimeMs + goneMs) <= (state.startedAtMs ?? 0);
  if (hasAll) return wantedMs;
  const lengths = periods.map(({ startTicks, endTicks }) => ticksToMs(endTicks - startTicks));
  const listedMs = lengths.reduce((sum, ms) => sum + ms, -goneMs);
  // Windows of whole segments differ by less than one: the depth stays as it is.
  const targetMs = targetDurationSeconds(stream.settings, state) * 1000;
  return wantedMs !== undefined && wantedMs - listedMs < targetMs ? wantedMs : listedMs;
}

/** Of a whole recording: its periods follow without pauses. */
export const recordingManifest = (
  stream: Stream,
  state: TimelineState,
  periods: readonly Period[],
  markers: readonly MarkerTag[],
  languages?: DefaultLanguages,
): string =>
  formatMpd({
    ...commonOf(stream, state, periods, markers, languages, true),
    ...{ startMs: undefined, live: undefined },
  });

const commonOf = (
  stream: Stream,
  state: TimelineState,
  periods: readonly Period[],
  markers: readonly MarkerTag[],
  { audio, captions }: DefaultLanguages = {},
  isRecording = false,
) => ({
  presentation: presentationOf(state, audio, captions),
  ...{ periods, markers, messageOf: markerView },
  targetDurationSeconds: targetDurationSeconds(stream.settings, state),
  uris: urisOf(stream, state, isRecording),
});

function urisOf(stream: Stream, state: TimelineState, isRecording: boolean): DashUris {
  const { version = 0, tracks = {} } = state.captions ?? {};
  const { videoId, uid } = stream;
  const placeOf = ({ run, discontinuities }: Period): SegmentPlace => {
    return { uid, run, discontinuities };
  };
  return {
    media(period) {
      const latePieces = isRecording ? state.latePieces : undefined;
      return segmentTemplate(videoId, 'media', { ...placeOf(period), latePieces });
    },
    init: uriOf,
    captions(period, track) {
      const captions = isRecording ? { version } : { trackSince: tracks[track]?.since ?? 0 };
      return segmentTemplate(videoId, 'captions', { ...placeOf(period), captions });
    },
    captionInit: (track) => uriOf(captionInitKey(stream, track)),
    thumbnails: (period) => segmentTemplate(videoId, 'thumbnails', placeOf(period)),
  };
}
