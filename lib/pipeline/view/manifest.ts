/** An MPD from a timeline's state and the periods that it lists. */

import type { PeriodStart } from '../../domain/kept.ts';
import type { MarkerTag } from '../../domain/marker-log.ts';
import { silenceKey } from '../../domain/object-keys.ts';
import { type Period, PeriodBuilder } from '../../domain/period.ts';
import { presentationOf } from '../../domain/presentation.ts';
import { type Stream, targetDurationSeconds } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import { isSliding, type TimelineState } from '../../domain/timeline.ts';
import { formatMpd } from '../../playlist/dash-mpd.ts';
import type { ManifestView } from './dash-manifests.ts';
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
  { showsEnd, location, language }: Pick<ManifestView, 'showsEnd' | 'location' | 'language'>,
): string {
  const { startedAtMs = 0, newestHops, endProgramDateTimeMs, markerVersion = 0 } = state;
  const { recordedAtMs, listedAtMs } = newestHops ?? {
    recordedAtMs: endProgramDateTimeMs,
    listedAtMs: endProgramDateTimeMs,
  };
  const live = {
    // Each change makes it later; those of markers have no time of their own.
    publishTimeMs: listedAtMs + markerVersion,
    lagMs: listedAtMs - recordedAtMs,
    windowMs: isSliding(state) ? ticksToMs(state.dvrWindowTicks) : undefined,
    location,
    clockUri: '/time',
  };
  return formatMpd({
    ...commonOf(stream, state, periods, markers, language),
    startMs: startedAtMs,
    live: showsEnd ? undefined : live,
  });
}

/** Of a whole recording: its periods follow without pauses. */
export const recordingManifest = (
  stream: Stream,
  state: TimelineState,
  periods: readonly Period[],
  markers: readonly MarkerTag[],
  language?: string,
): string =>
  formatMpd({
    ...commonOf(stream, state, periods, markers, language, state.latePieces),
    ...{ startMs: undefined, live: undefined },
  });

const commonOf = (
  stream: Stream,
  state: TimelineState,
  periods: readonly Period[],
  markers: readonly MarkerTag[],
  language: string | undefined,
  latePieces = 0,
) => ({
  presentation: presentationOf(state, language),
  ...{ periods, markers, messageOf: markerView },
  targetDurationSeconds: targetDurationSeconds(stream.settings, state),
  uris: {
    media: ({ run, discontinuities }: Period): string =>
      `/viewstream/segment/${stream.videoId}/$RepresentationID$/${run}-${discontinuities}${latePieces > 0 ? `-${latePieces}` : ''}/$Time$.m4s`,
    init: uriOf,
  },
});
