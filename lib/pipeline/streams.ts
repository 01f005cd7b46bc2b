/** Making, showing and removing streams: the owner's side. */

import type { StreamCreated, StreamSettings, StreamView } from '../api/messages.ts';
import { DomainError } from '../domain/errors.ts';
import { mediaPrefix, sourcePrefix } from '../domain/object-keys.ts';
import type { TimelineHead } from '../domain/publication.ts';
import { holeGraceMs, type Stream, targetDurationSeconds } from '../domain/stream.ts';
import { ticksToSeconds } from '../domain/ticks.ts';
import { getStream, hashKey, makeKey, newStream } from './auth.ts';
import type { Deps } from './deps.ts';
import { sendPublish } from './messages.ts';
import type { StreamRecords } from './records/stream-records.ts';

export type SettingsChange = Readonly<{
  [Name in keyof Stream['settings']]?: Stream['settings'][Name] | undefined;
}>;

/** Creates the stream, or changes what is given. Makes an upload key if there is none, or a new one. */
export async function putStream(
  deps: Deps,
  videoId: string,
  change: SettingsChange,
  newKey: boolean,
): Promise<StreamCreated & Readonly<{ isNew: boolean }>> {
  const { records } = deps;
  for (;;) {
    const found = await records.findStream(videoId);
    const before = found?.value ?? newStream(videoId, deps.clock.now(), deps.streamDefaults);
    await requireSameTarget(records, before, change);
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    const settings = { ...before.settings, ...Object.fromEntries(given) };
    const uploadKey = newKey || before.uploadKeyHash === undefined ? makeKey() : undefined;
    const stream: Stream = {
      ...before,
      settings,
      ...(uploadKey === undefined ? {} : { uploadKeyHash: hashKey(uploadKey) }),
    };
    const written = found
      ? await records.updateStream(stream, found.version)
      : await records.createStream(stream);
    if (!written) continue;
    // A shorter grace period may end the wait for a missing segment at once.
    await sendPublish(deps, { videoId, uid: stream.uid });
    const view = await describeStream(deps, stream);
    const shown = { ...view, settings: shownSettings(stream) };
    return { ...shown, ...(uploadKey === undefined ? {} : { uploadKey }), isNew: !found };
  }
}

/** Players rely on it: EXT-X-TARGETDURATION never changes (RFC 8216bis, 6.2.1). */
async function requireSameTarget(
  records: StreamRecords,
  stream: Stream,
  { targetDurationSeconds: wanted }: SettingsChange,
): Promise<void> {
  if (wanted === undefined || wanted === stream.settings.targetDurationSeconds) return;
  if (!(await records.newestRun(stream))) return;
  throw new DomainError(
    'stream_exists',
    `Stream "${stream.videoId}" has media; its target duration stays ${targetDurationSeconds(stream.settings)} s.`,
    'Players rely on it. Delete the stream, or take another id.',
  );
}

const shownSettings = ({ settings }: Stream): StreamSettings => ({
  ...settings,
  targetDurationSeconds: targetDurationSeconds(settings),
  holeGraceSeconds: holeGraceMs(settings) / 1000,
});

export async function listStreams(deps: Deps): Promise<StreamView[]> {
  const { records } = deps;
  const ids = await records.listVideoIds();
  const streams = await Promise.all(ids.map((id) => records.findStream(id)));
  return Promise.all(
    streams.flatMap((found) => (found ? [describeStream(deps, found.value)] : [])),
  );
}

export async function showStream(
  deps: Deps,
  videoId: string,
): Promise<StreamView & Readonly<{ settings: StreamSettings }>> {
  const { value: stream } = await getStream(deps, videoId);
  return { ...(await describeStream(deps, stream)), settings: shownSettings(stream) };
}

export async function deleteStream(deps: Deps, videoId: string): Promise<void> {
  const { records } = deps;
  const found = await getStream(deps, videoId);
  // First out of the catalogue: from here on no upload, job or viewer finds it.
  await records.removeStream(found.value, found.version);
  for (const prefix of [sourcePrefix(found.value), mediaPrefix(found.value)]) {
    await deps.media.delete(await deps.media.list(prefix));
  }
  await records.removeRecords(found.value);
}

export async function describeStream(deps: Deps, stream: Stream): Promise<StreamView> {
  const { value: head } = await deps.records.head(stream);
  return viewOf(stream, head);
}

export function viewOf(stream: Stream, head: TimelineHead): StreamView {
  const { settings } = stream;
  const started = head.startedAtMs !== undefined;
  const ended = head.endedAtMs !== undefined;
  return {
    videoId: stream.videoId,
    title: settings.title,
    state: ended ? 'ended' : started ? 'live' : 'created',
    ...(started ? { startedAt: new Date(head.startedAtMs).toISOString() } : {}),
    ...(ended ? { endedAt: new Date(head.endedAtMs).toISOString() } : {}),
    durationSeconds: ticksToSeconds(head.endOffsetTicks),
    ...(settings.dvrWindowSeconds === null ? {} : { dvrWindowSeconds: settings.dvrWindowSeconds }),
    ...(settings.targetDurationSeconds === undefined
      ? {}
      : { targetDurationSeconds: settings.targetDurationSeconds }),
    hls: `/viewstream/metadata/${stream.videoId}`,
    renditions: Object.entries(head.renditions).map(([name, totals]) => {
      const { info } = totals;
      const rates = { averageBps: averageBps(totals), peakBps: totals.peakBps };
      const common = { name, codecs: info.codecString, ...rates };
      if (info.kind === 'audio') {
        return { kind: info.kind, ...common, channels: info.channels, language: info.language };
      }
      const { widthPx, heightPx, framesPerSecond } = info;
      return { kind: info.kind, ...common, widthPx, heightPx, framesPerSecond };
    }),
  };
}

export const averageBps = (
  totals: Readonly<{ sizeBytes: number; durationTicks: number }>,
): number => Math.round((totals.sizeBytes * 8) / ticksToSeconds(totals.durationTicks));
