/** A stream in a few words. Pure. */

import type { StreamState, StreamView } from '../../lib/api/messages.ts';
import { text } from '../texts/text.ts';
import { formatClock, formatSpan } from './format-time.ts';
import type { Supply } from './supply.ts';

const ORDER: Readonly<Record<StreamState, number>> = { live: 0, created: 1, ended: 2 };

/** Live streams first, then upcoming ones, then recordings; each newest first. */
export const inListOrder = (streams: readonly StreamView[]): readonly StreamView[] =>
  streams.toSorted(
    (a, b) =>
      ORDER[a.state] - ORDER[b.state] ||
      (b.startedAt ?? '').localeCompare(a.startedAt ?? '') ||
      a.videoId.localeCompare(b.videoId),
  );

export type Badge = Readonly<{ text: string; tone: 'live' | 'soon' | 'recording' }>;

const BADGES = {
  live: { key: 'badge.live', tone: 'live' },
  created: { key: 'badge.soon', tone: 'soon' },
  ended: { key: 'badge.recording', tone: 'recording' },
} as const satisfies Readonly<Record<StreamState, unknown>>;

/** Of a whole file that is sent or processed: nobody broadcasts it. */
export const isFileOnly = ({
  file,
  state,
}: Readonly<{ state: StreamState; file?: StreamView['file'] | undefined }>): boolean =>
  file !== undefined && file.state !== 'done' && state !== 'ended';

/** An open stream whose broadcaster sends nothing, or has ended it, does not count as live. */
export function badgeOf(state: StreamState, supply: Supply, file?: StreamView['file']): Badge {
  if (isFileOnly({ file, state })) return { text: text('badge.file'), tone: 'soon' };
  if (state === 'live' && supply.state === 'silent')
    return { text: text('badge.silent'), tone: 'soon' };
  if (state === 'live' && supply.state === 'over')
    return { text: text('badge.ended'), tone: 'recording' };
  const { key, tone } = BADGES[state];
  return { text: text(key), tone };
}

/** `Nothing from the broadcaster for 12 s`; empty while all is well. */
export function troubleOf(supply: Supply, nowMs: number): string {
  if (!('sinceMs' in supply)) return '';
  const span = formatSpan(nowMs - supply.sinceMs);
  return supply.state === 'silent'
    ? text('trouble.silent', { span })
    : text('trouble.late', { span });
}

/** `Started 12 min ago`, `45:12, ended 2 h ago`. */
export function ageOf(stream: StreamView, nowMs: number): string {
  const since = (time: string): string => formatSpan(nowMs - Date.parse(time));
  switch (stream.state) {
    case 'created':
      return text('age.waiting');
    case 'live':
      return stream.startedAt === undefined
        ? ''
        : text('age.started', { span: since(stream.startedAt) });
    case 'ended': {
      const length = formatClock(stream.durationSeconds);
      return stream.endedAt === undefined
        ? length
        : text('age.ended', { length, span: since(stream.endedAt) });
    }
  }
}

/** The age and the best resolution; not the length, which a card has on its picture. */
export function summaryOf(stream: StreamView, nowMs: number): string {
  const tallest = stream.renditions
    .filter(({ kind }) => kind === 'video')
    .toSorted((a, b) => (b.heightPx ?? 0) - (a.heightPx ?? 0))[0];
  const audioOnly = stream.renditions.length > 0 && !tallest;
  const age =
    stream.state === 'ended' && stream.endedAt !== undefined
      ? text('home.endedAgo', { span: formatSpan(nowMs - Date.parse(stream.endedAt)) })
      : ageOf(stream, nowMs);
  return [age, audioOnly ? text('stream.audioOnly') : (tallest?.name ?? '')]
    .filter((part) => part !== '')
    .join(' · ');
}
