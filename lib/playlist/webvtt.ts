/** Captions as WebVTT (W3C WebVTT 1) and as SubRip text. */

import type { PlacedCue } from '../domain/captions/caption-placement.ts';
import { PTS_WRAP_TICKS, ticksToMs } from '../domain/ticks.ts';

/**
 * A segment of HLS (RFC 8216bis, 3.1.4). Local zero is where the 33 bits of MPEG-TS begin, for every segment: a
 * cue that goes on in the next segment is the same there, and players that count in 33 bits need not
 * guess on which side of zero it lies. One tick behind it: hls.js (1.7) takes MPEGTS:0 for no map, and
 * places a segment wrongly that it has before the picture. `startTicks`: of the entry that lists it.
 */
export function formatCaptionSegment(cues: readonly PlacedCue[], startTicks: number): string {
  const zero = Math.floor(startTicks / PTS_WRAP_TICKS) * PTS_WRAP_TICKS;
  return `WEBVTT
X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:1

${headersOf(cues)}${cues.map((cue) => formatCue(cue, zero)).join('')}`;
}

/** A file of its own, whose times begin with the stream. */
export const formatWebVtt = (cues: readonly PlacedCue[]): string =>
  `WEBVTT\n\n${headersOf(cues)}${cues.map((cue) => formatCue(cue, 0)).join('')}`;

/** SubRip knows no positions and few tags. */
export const formatSubRip = (cues: readonly PlacedCue[]): string =>
  cues
    .map(({ from, to, text }, index) => {
      const times = `${vttTime(from, ',')} --> ${vttTime(to, ',')}`;
      return `${index + 1}\n${times}\n${plainText(text, SUB_RIP_REMOVES)}\n\n`;
    })
    .join('');

const headersOf = (cues: readonly PlacedCue[]): string =>
  [...new Set(cues.flatMap(({ header }) => header ?? []))]
    .map((header) => `${header}\n\n`)
    .join('');

function formatCue({ key, from, to, text, settings }: PlacedCue, zero: number): string {
  const times = `${vttTime(from - zero)} --> ${vttTime(to - zero)}`;
  return `${key}\n${times}${settings === undefined ? '' : ` ${settings}`}\n${text}\n\n`;
}

/** `hh:mm:ss.mmm`, to the nearest millisecond; as many hours as it takes. What lies before zero is zero. */
export function vttTime(ticks: number, point: '.' | ',' = '.'): string {
  const ms = Math.max(0, Math.round(ticksToMs(ticks)));
  const two = (count: number): string => String(Math.floor(count)).padStart(2, '0');
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map(two);
  return `${clock.join(':')}${point}${String(ms % 1000).padStart(3, '0')}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&lrm;': '\u200e',
  '&rlm;': '\u200f',
  '&nbsp;': '\u00a0',
};

const SUB_RIP_REMOVES = /<(?!\/?[biu]>)[^>]*>/g;

/** Of WebVTT cue text; without any tags unless others are given. */
export const plainText = (text: string, tags = /<[^>]*>/g): string =>
  text.replace(tags, '').replace(/&[a-z]+;/g, (entity) => ENTITIES[entity] ?? entity);
