/** What the studio says about the way to the server. Pure. */

import type { StreamView } from '../../lib/api/messages.ts';
import { formatSpan } from '../shared/format-time.ts';
import { text } from '../texts/text.ts';
import type { WorkerStatus } from './worker-messages.ts';

export type LineReport = Readonly<{ tone: 'good' | 'slow' | 'bad'; text: string }>;

/** So much is always on its way. */
const USUAL_BACKLOG_SEGMENTS = 2;

export function lineReport(
  status: Pick<WorkerStatus, 'line' | 'problem' | 'backlogSegments' | 'backlogSeconds'>,
  isOnline: boolean,
  isLive: boolean,
): LineReport {
  const span = formatSpan(1000 * status.backlogSeconds);
  if (status.line === 'refused') {
    const isOther = status.problem?.code === 'run_superseded';
    const key = isOther ? 'studio.lineOther' : 'studio.lineKey';
    return { tone: 'bad', text: text(key, { span }) };
  }
  if (status.line === 'waiting' || !isOnline) {
    const key = isOnline ? 'studio.lineNoServer' : 'studio.lineOffline';
    return { tone: 'bad', text: text(key, { span }) };
  }
  if (!isLive && status.backlogSegments > 0) {
    return { tone: 'slow', text: text('studio.lineLeft', { span }) };
  }
  if (status.backlogSegments > USUAL_BACKLOG_SEGMENTS) {
    return { tone: 'slow', text: text('studio.lineSlow', { span }) };
  }
  return { tone: 'good', text: text('studio.lineGood') };
}

const RECENT_MS = 10_000;

/** Whether some encoder sends it, whose place this one would take. */
export function isBeingSent({
  state,
  newestUploadAt = '',
  serverTime = '',
}: Pick<StreamView, 'state' | 'newestUploadAt' | 'serverTime'>): boolean {
  return state === 'live' && Date.parse(serverTime) - Date.parse(newestUploadAt) < RECENT_MS;
}

/** Names of errors of `getUserMedia` (Media Capture and Streams, 10.2.1), as a sentence. */
export function deviceProblem(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return text('studio.denied');
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return text('studio.noDevice');
  if (name === 'NotReadableError' || name === 'AbortError') return text('studio.busyDevice');
  return text('studio.noDevices');
}
