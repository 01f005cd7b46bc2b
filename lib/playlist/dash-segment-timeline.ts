/** What AdaptationSets of an MPD have in common: addresses, roles, and the times of segments. */

import type { Period, PieceRow } from '../domain/period.ts';
import { element, tag, type XmlLines } from './dash-xml.ts';

/** Addresses of what a Representation consists of; of segments with `$RepresentationID$` and `$Time$`. */
export type DashUris = Readonly<{
  media(period: Period): string;
  init(initKey: string): string;
  /** `track`: its name. */
  captions(period: Period, track: string): string;
  captionInit(track: string): string;
  thumbnails(period: Period): string;
}>;

const ROLE_SCHEME = 'urn:mpeg:dash:role:2011';

/** The purpose of audio and captions beside what everybody hears and sees (TV-Anytime). */
export const AUDIENCE_SCHEME = 'urn:tva:metadata:cs:AudioPurposeCS:2007';
export const AUDIENCES = { cannotSee: 1, cannotHear: 2 } as const;

export const role = (value: string): string => tag('Role', { schemeIdUri: ROLE_SCHEME, value });

export const timelineElement = (timeline: string): XmlLines =>
  element('SegmentTimeline', {}, [timeline]);

/** On one line: a day of audio has 43,200 elements. */
export function formatTimeline(rows: readonly PieceRow[]): string {
  let endTicks: number | undefined;
  const elements = rows.map(({ startTicks, durationTicks, count }) => {
    const t = startTicks === endTicks ? '' : ` t="${startTicks}"`;
    const r = count > 1 ? ` r="${count - 1}"` : '';
    endTicks = startTicks + count * durationTicks;
    return `<S${t} d="${durationTicks}"${r}/>`;
  });
  return elements.join('');
}
