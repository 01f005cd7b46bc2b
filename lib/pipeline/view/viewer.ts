/** What viewers are shown: playlists from the timeline, and the stream's state. */

import { LRUCache } from 'lru-cache';
import type { MarkerList, StreamView } from '../../api/messages.ts';
import { reportError } from '../../base/log.ts';
import { DomainError } from '../../domain/errors.ts';
import { regionDefault } from '../../domain/languages/region-default.ts';
import { recordingVersion } from '../../domain/object-keys.ts';
import { listsOf, THUMBNAIL_INDEX } from '../../domain/pictures/trick-play.ts';
import { presentationOf } from '../../domain/presentation.ts';
import { isLongRecording } from '../../domain/recording.ts';
import { goneBelow, isPresented, keptAt } from '../../domain/retention/kept.ts';
import {
  captionDefault,
  dvrWindowTicks,
  type Stream,
  targetDurationSeconds,
} from '../../domain/stream.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import {
  currentBroadcast,
  endedBroadcast,
  isEndShown,
  type TimelineState,
  withDvrWindow,
} from '../../domain/timeline.ts';
import { formatMultivariantPlaylist } from '../../playlist/hls-multivariant.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import {
  isUpToDate,
  requestRecordingPlaylists,
  storedRecording,
} from '../jobs/recording-playlists-request.ts';
import type { StoredRecording } from '../records/record-types.ts';
import { findFirstListed } from '../records/timeline-search.ts';
import { viewOf } from '../streams.ts';
import { DashManifests } from './dash-manifests.ts';
import { type Document, documentOf } from './document.ts';
import { EntryWindows, type PlaylistView, type RenderedView } from './entry-windows.ts';
import { fileOf } from './file-view.ts';
import { intakeOf } from './intake.ts';
import { listMarkers, type MarkerFilter } from './marker-list.ts';
import { MarkerLogs } from './marker-logs.ts';
import { MediaPlaylists } from './media-playlists.ts';
import { recordedEntries } from './recorded-entries.ts';
import {
  keptVersionOf,
  liveQuery,
  PlaylistMoved,
  recordingQuery,
  requireSomething,
} from './recording-address.ts';
import { StreamTurns } from './stream-turns.ts';

export type Viewed = Readonly<{ document: Document; maxAgeSeconds: number }>;

/**
 * All throw `stream_not_found`; what lists entries also `not_started`, `expired`, `rendition_not_found`,
 * `not_ready` and `PlaylistMoved`. `kept`: of a recording, one more each time that retention has changed it.
 */
export type Viewer = Readonly<{
  state(videoId: string): Promise<StreamView>;
  /** `country`: of the viewer, for the default language; undefined: it is not known. */
  multivariant(videoId: string, country?: string): Promise<Viewed>;
  /** `name` as in `listsOf`. `broadcast`: 1 for the first; one more each time that the stream went on after its end was shown. */
  media(
    videoId: string,
    name: string,
    view: PlaylistView,
    broadcast?: number,
    kept?: number,
  ): Promise<Viewed>;
  /** The index of the preview thumbnails (WebVTT): of the recording once there is one, else of the DVR window. */
  thumbnails(videoId: string): Promise<Viewed>;
  /** The MPD. Without a view and a broadcast that of a new viewer: the recording, once the end was shown. */
  dash(
    videoId: string,
    view?: PlaylistView,
    broadcast?: number,
    country?: string,
    kept?: number,
  ): Promise<Viewed>;
  markers(videoId: string, filter: MarkerFilter): Promise<MarkerList>;
}>;

/**
 * How long a CDN may serve an answer. Never 0: edges then stop collapsing concurrent requests.
 * A live playlist changes each target duration, an ended one when its stream is reopened.
 */
const LIVE_MAX_AGE_SECONDS = 1;
const ENDED_MAX_AGE_SECONDS = 10;

/** How long after a shown end the address of an MPD goes on with what was live: as a player asks again. */
const FIRST_ADDRESS_MS = 60_000;

/** One for the life of the process: it keeps what it has rendered. */
export function createViewer(deps: Deps): Viewer {
  const { records, clock } = deps;
  const markers = new MarkerLogs(deps);
  const windows = new EntryWindows(records);
  const turns = new StreamTurns();
  const playlists = new MediaPlaylists(deps, markers, windows, turns);
  const manifests = new DashManifests(deps, markers, windows, turns);
  const lengths = new LRUCache<string, number>({ max: 1000 });
  const stored = new LRUCache<string, StoredRecording>({ max: 1000 });

  const load = async (videoId: string): Promise<{ stream: Stream; state: TimelineState }> => {
    const { value: stream } = await getStream(deps, videoId);
    const { value: state } = await records.timeline(stream);
    return { stream, state };
  };

  const loadStarted = async (videoId: string): ReturnType<typeof load> => {
    const loaded = await load(videoId);
    if (loaded.state.nextSequence > 0) return loaded;
    throw new DomainError(
      'not_started',
      `Stream "${videoId}" has not started.`,
      'Ask again in a few seconds: the playlist is there when the first segment is transcoded.',
    );
  };

  const showsEnd = (state: TimelineState): boolean => isEndShown(state, clock.now());

  const viewed = (ended: boolean, document: Document): Viewed => ({
    document,
    maxAgeSeconds: ended ? ENDED_MAX_AGE_SECONDS : LIVE_MAX_AGE_SECONDS,
  });

  /** What came late makes a recording longer than what was live. */
  const recordedSeconds = async (stream: Stream, state: TimelineState): Promise<number> => {
    const key = [stream.uid, state.nextSequence, state.lateArrivals, state.kept?.version].join();
    const known = lengths.get(key);
    if (known !== undefined) return known;
    let ticks = 0;
    for await (const entry of recordedEntries(records, stream, state)) {
      ticks = entry.offsetTicks + entry.durationTicks;
    }
    lengths.set(key, ticksToSeconds(ticks));
    return ticksToSeconds(ticks);
  };

  const isLong = (state: TimelineState): boolean =>
    state.endedAtMs !== undefined && isLongRecording(state, deps.longEntries);

  /** What viewers are shown of a long recording; undefined: nothing is stored yet. */
  const storedOf = async (
    stream: Stream,
    state: TimelineState,
  ): Promise<StoredRecording | undefined> => {
    const known = stored.get(stream.uid);
    if (known?.version === recordingVersion(state)) return known;
    const found = await storedRecording(deps, stream, state);
    if (found) stored.set(stream.uid, found);
    return found;
  };

  /** What is there can be watched also while no job can be queued, as on a full disk. */
  const requestQuietly = (stream: Stream): Promise<void> =>
    requestRecordingPlaylists(deps, stream).catch((error) =>
      reportError(error, 'requesting the playlists of a recording'),
    );

  /** Viewers who come after the end get the recording; those who watched live keep what they play. */
  const isRecordingShown = async (stream: Stream, state: TimelineState): Promise<boolean> =>
    showsEnd(state) && (!isLong(state) || (await storedOf(stream, state)) !== undefined);

  /** A playlist that has ended stays as it is, and is not served any more when some of it has expired. */
  const listsGone = async (stream: Stream, state: TimelineState): Promise<boolean> => {
    const gone = goneBelow(state.kept, clock.now());
    if (gone <= state.firstListedSequence) return false;
    return (await findFirstListed(records, stream, state)) < gone;
  };

  /** What a view lists of the timeline, and whether it ends there. `kept`: left out, as it is now. */
  const listedIn = async (
    stream: Stream,
    state: TimelineState,
    view: PlaylistView,
    broadcast: number,
    kept: number | undefined,
  ): Promise<Readonly<{ listed: TimelineState; rendered: RenderedView; ended: boolean }>> => {
    let found: StoredRecording | undefined;
    if (isLong(state)) {
      found = await storedOf(stream, state);
      // Its job may have been lost, or given up.
      if (!isUpToDate(found, state)) await requestQuietly(stream);
    }
    if (view === 'vod' && state.endedAtMs !== undefined) {
      requireSomething(stream, state);
      const wanted = kept ?? keptVersionOf(found, state);
      const isThere = found
        ? wanted === keptVersionOf(found, state)
        : isPresented(state.kept, wanted, clock.now());
      if (!isThere) throw new PlaylistMoved(recordingQuery(found, state));
      const recorded = found ? withStored(state, found) : state;
      const before = keptAt(state.kept, wanted);
      return {
        listed: { ...recorded, ...(before && { kept: before }) },
        rendered: 'vod',
        ended: true,
      };
    }
    const earlier = endedBroadcast(state, broadcast);
    const ended = earlier !== undefined || showsEnd(state);
    const shown = { ...withWindow(stream, state), ...earlier };
    if (ended && (await listsGone(stream, shown))) {
      requireSomething(stream, state);
      throw new PlaylistMoved(showsEnd(state) ? recordingQuery(found, state) : liveQuery(state));
    }
    return { listed: shown, rendered: earlier ? `live ${earlier.broadcast}` : 'live', ended };
  };

  const listed = async (
    stream: Stream,
    state: TimelineState,
    name: string,
    view: PlaylistView,
    broadcast: number,
    kept?: number,
  ): Promise<Viewed> => {
    const { listed: shown, rendered, ended } = await listedIn(stream, state, view, broadcast, kept);
    return viewed(ended, await playlists.render(stream, shown, name, rendered, ended));
  };

  return {
    async state(videoId) {
      const { stream, state } = await load(videoId);
      const view = {
        ...viewOf(stream, state),
        ...(await intakeOf(deps, stream, state)),
        ...(await fileOf(deps, stream)),
      };
      if (state.endedAtMs === undefined || state.lateArrivals === 0) return view;
      if (!isLong(state)) return { ...view, durationSeconds: await recordedSeconds(stream, state) };
      const { durationSeconds } = (await storedOf(stream, state)) ?? view;
      return { ...view, durationSeconds };
    },

    async markers(videoId, filter) {
      const { stream, state } = await load(videoId);
      return listMarkers(deps, stream, state, await markers.of(stream, state), filter);
    },

    async multivariant(videoId, country) {
      const { stream, state } = await loadStarted(videoId);
      const found = showsEnd(state) && isLong(state) ? await storedOf(stream, state) : undefined;
      const isRecording = await isRecordingShown(stream, state);
      if (isRecording) requireSomething(stream, state);
      const suffix = isRecording ? recordingQuery(found, state) : liveQuery(state);
      const { audio, captions } = languagesFor(stream, country);
      const text = formatMultivariantPlaylist(
        presentationOf(found ? withStored(state, found) : state, audio, captions),
        (list) => `${videoId}/${list}.m3u8${suffix}`,
      );
      return viewed(isRecording, documentOf(text));
    },

    async media(videoId, name, view, broadcast = 1, kept = 0) {
      const { stream, state } = await loadStarted(videoId);
      const lists = listsOf(state).filter((list) => list !== THUMBNAIL_INDEX);
      if (lists.includes(name)) return listed(stream, state, name, view, broadcast, kept);
      throw new DomainError(
        'rendition_not_found',
        `Stream "${videoId}" has no rendition "${name}".`,
        `It has ${lists.join(', ')}.`,
      );
    },

    async thumbnails(videoId) {
      const { stream, state } = await loadStarted(videoId);
      if (state.thumbnails) {
        const view = (await isRecordingShown(stream, state)) ? 'vod' : 'live';
        return listed(stream, state, THUMBNAIL_INDEX, view, currentBroadcast(state));
      }
      throw new DomainError(
        'rendition_not_found',
        `Stream "${videoId}" has no preview thumbnails.`,
        'It has no picture, or was transcoded before they were made.',
      );
    },

    async dash(videoId, view, broadcast, country, kept = 0) {
      const { stream, state } = await loadStarted(videoId);
      const isNew = view === undefined && broadcast === undefined;
      // ffmpeg asks again at the first address, and takes other times there for those that it plays.
      const isOver = clock.now() >= (state.endShownAtMs ?? 0) + FIRST_ADDRESS_MS;
      const isRecording = isNew && isOver && (await isRecordingShown(stream, state));
      const shown = isRecording ? 'vod' : (view ?? 'live');
      const of = broadcast ?? currentBroadcast(state);
      const version = isRecording ? undefined : kept;
      const { listed, rendered, ended } = await listedIn(stream, state, shown, of, version);
      // Who watches live asks there again, and is not given the recording, whose times are others.
      const location = `${videoId}.mpd?broadcast=${of}`;
      const languages = languagesFor(stream, country);
      const how = { view: rendered, showsEnd: ended, location, languages };
      return viewed(ended, await manifests.render(stream, listed, how));
    },
  };
}

/** Of what is played and shown by default. */
const languagesFor = ({ settings }: Stream, country: string | undefined) => ({
  audio: regionDefault(settings.defaultAudio, country),
  captions: captionDefault(settings, country),
});

/** A long recording as it is stored: without what came later. */
function withStored(
  { captions, ...state }: TimelineState,
  { lateArrivals, captionVersion }: StoredRecording,
): TimelineState {
  if (!captions || captionVersion === undefined) return { ...state, lateArrivals };
  const tracks = Object.entries(captions.tracks).filter(([, { since }]) => since <= captionVersion);
  const stored = { ...captions, version: captionVersion, tracks: Object.fromEntries(tracks) };
  return { ...state, lateArrivals, captions: stored };
}

/** The window is the publisher's; a timeline from before it kept one follows the setting. */
const withWindow = (stream: Stream, state: TimelineState): TimelineState =>
  state.dvrWindowTicks === undefined
    ? withDvrWindow(
        state,
        dvrWindowTicks(stream.settings, targetDurationSeconds(stream.settings, state)),
        0,
      )
    : state;
