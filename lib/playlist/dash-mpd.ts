/** Media presentation descriptions as text (DASH, ISO/IEC 23009-1). */

import type { Marker } from '../domain/markers/marker.ts';
import type { MarkerTag } from '../domain/markers/marker-log.ts';
import type { Period } from '../domain/period.ts';
import { ticksToMs } from '../domain/ticks.ts';
import { formatAdaptationSets, type PrintedPresentation } from './dash-adaptation-sets.ts';
import { eventsByPeriod, formatEventStreams } from './dash-events.ts';
import type { DashUris } from './dash-segment-timeline.ts';
import { element, formatDuration, formatTime, tag, textElement } from './dash-xml.ts';

/** What a player that watches live needs to know; it asks again. */
export type LiveMpd = Readonly<{
  publishTimeMs: number;
  /** How far the newest segment is listed behind the end of its media. */
  lagMs: number;
  /** How far back viewers can go; undefined: to the start. */
  windowMs: number | undefined;
  /** Where it is asked for again. */
  location: string;
  /** Says the time, in ISO 8601. */
  clockUri: string;
}>;

export type Mpd = Readonly<{
  presentation: PrintedPresentation;
  periods: readonly Period[];
  /** Wall clock of the presentation's start; undefined: it has none, its periods follow without pauses. */
  startMs: number | undefined;
  targetDurationSeconds: number;
  /** undefined: nothing more comes. */
  live: LiveMpd | undefined;
  markers: readonly MarkerTag[];
  /** What the event of a marker says, as JSON. */
  messageOf(marker: Marker): unknown;
  uris: DashUris;
}>;

const NAMESPACE = 'urn:mpeg:dash:schema:mpd:2011';
const PROFILE = 'urn:mpeg:dash:profile:isoff-live:2011';
const CLOCK_SCHEME = 'urn:mpeg:dash:utc:http-iso:2014';

/** Segments that a player holds back: as RFC 8216bis, 6.3.3 has it for HLS. */
const HELD_BACK = 3;

export function formatMpd(mpd: Mpd): string {
  const { periods, live, presentation, uris } = mpd;
  const events = eventsByPeriod(periods, mpd.markers);
  const startsMs = periodStarts(mpd);
  const printed = periods.map((period, index) => {
    const start = formatDuration(startsMs[index] ?? 0);
    // Of a live one the next says where it ends. ffmpeg plays one period: the longest, or the newest if none
    // says how long it is.
    const named =
      mpd.startMs === undefined
        ? { id: index, start, duration: formatDuration(lengthMs(period)) }
        : { id: period.discontinuities, start };
    return element('Period', named, [
      ...formatEventStreams(period, events.get(period) ?? [], mpd.messageOf),
      ...formatAdaptationSets(presentation, period, uris),
    ]);
  });
  const clock = live && tag('UTCTiming', { schemeIdUri: CLOCK_SCHEME, value: live.clockUri });
  const lines = element(
    'MPD',
    { xmlns: NAMESPACE, profiles: PROFILE, ...mpdAttributes(mpd, startsMs) },
    [
      ...(live ? [textElement('Location', {}, live.location)] : []),
      ...printed.flat(),
      ...(clock ? [clock] : []),
    ],
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${lines.join('\n')}\n`;
}

function mpdAttributes(mpd: Mpd, startsMs: readonly number[]) {
  const { periods, live, startMs = 0, targetDurationSeconds } = mpd;
  const targetMs = targetDurationSeconds * 1000;
  const common = {
    // A segment's duration, rounded to seconds, is the target at most; audio ends a frame later.
    maxSegmentDuration: formatDuration(targetMs + 1000),
    minBufferTime: formatDuration(targetMs),
  };
  if (!live) {
    const last = periods.at(-1);
    const endMs = (startsMs.at(-1) ?? 0) + (last ? lengthMs(last) : 0);
    return { type: 'static', mediaPresentationDuration: formatDuration(endMs), ...common };
  }
  const { publishTimeMs, windowMs, lagMs } = live;
  // Both are counted from now by the clock, which the newest segment is behind. Whole target durations
  // change rarely.
  const behindMs = targetMs * Math.ceil(Math.max(0, lagMs) / targetMs);
  // Behind gaps less may be listed than players hold back.
  const shownMs = windowMs === undefined ? undefined : Math.max(windowMs, targetMs);
  const depthMs = shownMs === undefined ? undefined : shownMs + pausesMs(mpd) + behindMs;
  const heldBackMs = Math.min(HELD_BACK * targetMs, shownMs ?? Number.POSITIVE_INFINITY);
  return {
    type: 'dynamic',
    availabilityStartTime: formatTime(startMs),
    publishTime: formatTime(publishTimeMs),
    minimumUpdatePeriod: formatDuration(Math.max(1000, targetMs / 2)),
    timeShiftBufferDepth: depthMs === undefined ? undefined : formatDuration(depthMs),
    suggestedPresentationDelay: formatDuration(heldBackMs + behindMs),
    ...common,
  };
}

const lengthMs = ({ startTicks, endTicks }: Period): number => ticksToMs(endTicks - startTicks);

/** From the start of the presentation: by the wall clock if it has one, else each where the one before ends. */
function periodStarts({ periods, startMs }: Mpd): readonly number[] {
  let endMs = 0;
  return periods.map((period) => {
    // The presentation's start is rounded to milliseconds.
    const ownMs = startMs === undefined ? endMs : Math.max(0, period.programDateTimeMs - startMs);
    endMs = ownMs + lengthMs(period);
    return ownMs;
  });
}

/** How long the encoder was away between the periods, in whole seconds. */
function pausesMs({ periods }: Mpd): number {
  const pauses = periods.slice(1).map((period, index) => {
    const before = periods[index];
    const endMs = before ? before.programDateTimeMs + lengthMs(before) : Number.POSITIVE_INFINITY;
    return Math.max(0, period.programDateTimeMs - endMs);
  });
  return 1000 * Math.ceil(pauses.reduce((sum, pause) => sum + pause, 0) / 1000);
}
