/** MPDs of entries that a test makes up. */

import { PeriodBuilder, type PeriodEntry } from '../../lib/domain/period.ts';
import { type Offered, presentationOf } from '../../lib/domain/presentation.ts';
import type { EntryRendition, RenditionInfo, TimelineState } from '../../lib/domain/timeline.ts';
import { formatMpd, type Mpd } from '../../lib/playlist/dash-mpd.ts';

export const START_MS = Date.parse('2026-01-01T00:00:00Z');

const rendition = (name: string, info: RenditionInfo): TimelineState['renditions'][string] => ({
  info,
  initKey: `media/${name}/init.mp4`,
  peakBps: info.kind === 'video' ? 100 * info.heightPx : 64_000.5,
  sizeBytes: 1000,
  durationTicks: 90_000,
});

export const video = (heightPx: number, framesPerSecond: number) =>
  rendition(`${heightPx}p`, {
    kind: 'video',
    ...{ codecString: 'avc1.64001f', widthPx: heightPx * 2, heightPx, framesPerSecond },
  });

export const audio = (name: string, language: string, channels = 2) =>
  rendition(name, {
    kind: 'audio',
    ...{ codecString: 'mp4a.40.2', channels, sampleRateHz: 48_000, language },
  });

const AUDIO_FRAME_TICKS = 1920;

/** Two seconds from `second` of its run on. Audio pieces begin a frame earlier. */
export function entry(
  run: number,
  second: number,
  names: readonly string[],
  more: Partial<PeriodEntry> & Readonly<{ initKey?: string }> = {},
): PeriodEntry {
  const { initKey, ...rest } = more;
  const startTicks = (10 + second) * 90_000;
  const pieceOf = (name: string): EntryRendition => ({
    key: `media/${name}/${run}-${second}.m4s`,
    initKey: initKey ?? `media/${name}/init.mp4`,
    sizeBytes: 1000,
    ...(name.startsWith('audio') && {
      startTicks: startTicks - AUDIO_FRAME_TICKS,
      durationTicks: 180_000,
    }),
  });
  return {
    ...{ run, startTicks, durationTicks: 180_000, discontinuity: run > 1 && second === 0 },
    discontinuities: run - 1,
    programDateTimeMs: START_MS + second * 1000 + (run - 1) * 60_000,
    renditions: Object.fromEntries(names.map((name) => [name, pieceOf(name)])),
    ...rest,
  };
}

export function mpdOf(
  renditions: TimelineState['renditions'],
  entries: readonly PeriodEntry[],
  more: Partial<Mpd> = {},
  first?: PeriodEntry,
  offered: Partial<Offered> = {},
): string {
  const builder = new PeriodBuilder({ renditions }, () => 'silence.m4s', first);
  for (const one of entries) builder.add(one);
  return formatMpd({
    presentation: presentationOf({ renditions, endedAtMs: START_MS, ...offered }, undefined, 'de'),
    periods: builder.periods,
    startMs: START_MS,
    targetDurationSeconds: 2,
    live: undefined,
    markers: [],
    messageOf: ({ id }) => ({ id }),
    uris: {
      media: ({ run }) => `/segment/show/$RepresentationID$/${run}/$Time$.m4s`,
      init: (key) => `/${key}`,
      captions: ({ run }, track) => `/segment/show/$RepresentationID$/${run}-${track}/$Time$.m4s`,
      captionInit: (track) => `/captions/${track}/init.mp4`,
      thumbnails: ({ run }) => `/segment/show/$RepresentationID$/${run}/$Time$.jpg`,
    },
    ...more,
  });
}
