/** How a stream is, for its owner. Pure. */

import type { StreamView } from '../../lib/api/messages.ts';
import { formatSpan } from '../shared/format-time.ts';
import { supplyOf } from '../shared/supply.ts';
import { text } from '../texts/text.ts';

export type Tone = 'good' | 'bad' | 'none';
export type HealthLine = Readonly<{ says: string; tone: Tone }>;
export type StreamHealth = Readonly<{
  signal: HealthLine;
  backlog: HealthLine;
  worker: HealthLine;
}>;

/** By the server's clock, as of its answer. */
export function healthOf(stream: StreamView): StreamHealth {
  const supply = supplyOf(stream);
  const nowMs = Date.parse(stream.serverTime ?? '');
  const since = (time: string | undefined): string =>
    formatSpan(Math.max(0, nowMs - Date.parse(time ?? '')));
  const waiting = stream.waitingSegments ?? 0;
  const isLate = supply.state === 'late';
  const tone = isLate ? 'bad' : 'good';
  const count = waiting;
  return {
    signal: signalOf(stream, supply.state === 'silent', since(stream.newestUploadAt)),
    backlog:
      waiting > 0
        ? { says: text('manage.backlogSome', { count, span: since(stream.waitingSince) }), tone }
        : { says: text('manage.backlogNone'), tone: 'none' },
    worker: isLate
      ? { says: text('manage.workerLate'), tone }
      : stream.state === 'live' || waiting > 0
        ? { says: text('manage.workerKeepsUp'), tone }
        : { says: text('manage.workerIdle'), tone: 'none' },
  };
}

function signalOf(stream: StreamView, isSilent: boolean, span: string): HealthLine {
  if (stream.state === 'ended') return { says: text('manage.signalOver'), tone: 'none' };
  if (stream.newestUploadAt === undefined) return { says: text('manage.signalNone'), tone: 'none' };
  return isSilent
    ? { says: text('manage.signalSilent', { span }), tone: 'bad' }
    : { says: text('manage.signalFlowing', { span }), tone: 'good' };
}
