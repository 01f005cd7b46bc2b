/** Making, showing and removing streams: the owner's side. */

import type { StreamCreated, StreamSettings, StreamShown, StreamView } from '../api/messages.ts';
import { DomainError } from '../domain/errors.ts';
import { regionDefault } from '../domain/languages/region-default.ts';
import { mediaPrefix, sourcePrefix } from '../domain/object-keys.ts';
import { type CaptionRendition, presentationOf } from '../domain/presentation.ts';
import { holeGraceMs, type Stream, targetDurationSeconds } from '../domain/stream.ts';
import { ticksToSeconds } from '../domain/ticks.ts';
import { storedBytes, type TimelineState } from '../domain/timeline.ts';
import { getStream, hashKey, makeKey, newStream } from './auth.ts';
import type { Deps } from './deps.ts';
import { dropUpload } from './ingest/file-upload.ts';
import { sendPublish } from './messages.ts';
import type { StreamRecords } from './records/stream-records.ts';
import { fileOf } from './view/file-view.ts';
import { intakeOf } from './view/intake.ts';

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
    // A shorter grace may end the wait for a missing segment; the DVR window is the publisher's to change.
    await sendPublish(deps, { videoId, uid: stream.uid });
    const view = await describeStream(deps, stream, true);
    const shown = { ...view, settings: shownSettings(stream, view) };
    return { ...shown, ...(uploadKey === undefined ? {} : { uploadKey }), isNew: !found };
  }
}

/**
 * EXT-X-TARGETDURATION never changes (RFC 8216bis, 6.2.1). Throws `stream_exists` if the stream has media
 * and `change` another target duration.
 */
async function requireSameTarget(
  records: StreamRecords,
  stream: Stream,
  { targetDurationSeconds: wanted }: SettingsChange,
): Promise<void> {
  if (wanted === undefined) return;
  const { value: timeline } = await records.timeline(stream);
  const inForce = timeline.targetDurationSeconds ?? stream.settings.targetDurationSeconds;
  if (wanted === inForce || !(await records.newestRun(stream))) return;
  throw new DomainError(
    'stream_exists',
    `Stream "${stream.videoId}" has media; its target duration stays ${inForce === undefined ? 'that of its first segments' : `${inForce} s`}.`,
    'Players rely on it. Delete the stream, or take another id.',
  );
}

/** With what is in force where the owner has set nothing. */
function shownSettings({ settings }: Stream, view: StreamView): StreamSettings {
  const targetSeconds = targetDurationSeconds(settings, view);
  return {
    ...settings,
    listed: settings.listed ?? false,
    webm: settings.webm ?? 'onDemand',
    retention: settings.retention ?? null,
    targetDurationSeconds: targetSeconds,
    holeGraceSeconds: holeGraceMs(settings, targetSeconds) / 1000,
  };
}

/** `all`: for the owner; others are shown what is listed. */
export async function listStreams(deps: Deps, all: boolean): Promise<StreamView[]> {
  const { records } = deps;
  const ids = await records.listVideoIds();
  const streams = await Promise.all(ids.map((id) => records.findStream(id)));
  const shown = streams.flatMap((found) =>
    found && (all || found.value.settings.listed) ? [found.value] : [],
  );
  return Promise.all(shown.map((stream) => describeStream(deps, stream, all)));
}

export async function showStream(deps: Deps, videoId: string): Promise<StreamShown> {
  const { value: stream } = await getStream(deps, videoId);
  const view = await describeStream(deps, stream, true);
  return { ...view, settings: shownSettings(stream, view) };
}

export async function deleteStream(deps: Deps, videoId: string): Promise<void> {
  const { records } = deps;
  const found = await getStream(deps, videoId);
  // First out of the catalogue: from here on no upload, job or viewer finds it.
  await records.removeStream(found.value, found.version);
  for (const prefix of [sourcePrefix(found.value), mediaPrefix(found.value)]) {
    await deps.media.delete(await deps.media.list(prefix));
  }
  await dropUpload(deps, found.value);
  await records.removeRecords(found.value);
}

async function describeStream(deps: Deps, stream: Stream, forOwner: boolean): Promise<StreamView> {
  const { value: timeline } = await deps.records.timeline(stream);
  const view = viewOf(stream, timeline);
  const viewers = view.state === 'live' ? deps.viewersOf?.(stream.videoId) : undefined;
  return {
    ...view,
    ...(await intakeOf(deps, stream, timeline)),
    ...(await fileOf(deps, stream)),
    ...(viewers !== undefined && { viewers }),
    ...(forOwner && { storageBytes: storedBytes(timeline) }),
  };
}

function recordedSince({
  kept,
}: TimelineState): Pick<StreamView, 'recordedSince' | 'recordedFromSeconds'> {
  if (!kept?.first) return {};
  const { programDateTimeMs, offsetTicks } = kept.first;
  return {
    recordedSince: new Date(programDateTimeMs).toISOString(),
    recordedFromSeconds: ticksToSeconds(offsetTicks),
  };
}

export function viewOf(stream: Stream, timeline: TimelineState): StreamView {
  const { startedAtMs, endedAtMs } = timeline;
  const { title, dvrWindowSeconds } = stream.settings;
  const targetSeconds = timeline.targetDurationSeconds ?? stream.settings.targetDurationSeconds;
  const language = regionDefault(stream.settings.defaultAudio);
  const { video, audio, captions } = presentationOf(timeline, language);
  return {
    videoId: stream.videoId,
    title,
    state: endedAtMs !== undefined ? 'ended' : startedAtMs !== undefined ? 'live' : 'created',
    ...(startedAtMs === undefined ? {} : { startedAt: new Date(startedAtMs).toISOString() }),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
    durationSeconds: ticksToSeconds(timeline.endOffsetTicks),
    ...recordedSince(timeline),
    ...(dvrWindowSeconds === null || timeline.isEvent ? {} : { dvrWindowSeconds }),
    ...(targetSeconds === undefined ? {} : { targetDurationSeconds: targetSeconds }),
    ...(timeline.poster === undefined ? {} : { poster: `/${timeline.poster}` }),
    ...(captions.length > 0 && { captions: captions.map(captionView) }),
    ...(timeline.thumbnails && { thumbnails: `/viewstream/thumbnails/${stream.videoId}.vtt` }),
    hls: `/viewstream/metadata/${stream.videoId}`,
    dash: `/viewstream/metadata/${stream.videoId}.mpd`,
    renditions: [
      ...video.map(({ codecString: codecs, ...rendition }) => ({
        kind: 'video' as const,
        codecs,
        ...rendition,
      })),
      ...audio.map(
        ({
          codecString: codecs,
          language = 'und',
          label,
          isDefault,
          sampleRateHz,
          ...rendition
        }) => ({
          kind: 'audio' as const,
          codecs,
          language,
          ...rendition,
        }),
      ),
    ],
  };
}

const captionView = ({ name, language, label, isForced, isSdh }: CaptionRendition) => ({
  ...{ name, label },
  ...(language !== undefined && { language }),
  ...(isForced && { isForced }),
  ...(isSdh && { isSdh }),
});
