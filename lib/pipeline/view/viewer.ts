/** What viewers are shown: playlists from the timeline, and the stream's state. */

import { LRUCache } from 'lru-cache';
import type { MarkerList, StreamView } from '../../api/messages.ts';
import { reportError } from '../../base/log.ts';
import { DomainError } from '../../domain/errors.ts';
import { goneBelow, isPresented, keptAt } from '../../domain/kept.ts';
import { recordingVersion } from '../../domain/object-keys.ts';
import { presentationOf } from '../../domain/presentation.ts';
import { isLongRecording } from '../../domain/recording.ts';
import { dvrWindowTicks, type Stream, targetDurationSeconds } from '../../domain/stream.ts';
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
  isCurrent,
  requestRecordingPlaylists,
  storedRecording,
} from '../jobs/recording-playlists-request.ts';
import type { StoredRecording } from '../records/record-types.ts';
import { findFirstListed } from '../records/timeline-search.ts';
import { viewOf } from '../streams.ts';
import { type Document, documentOf } from './document.ts';
import { expired } from './expired.ts';
import { intakeOf } from './intake.ts';
import { listMarkers, type MarkerFilter } from './marker-list.ts';
import { MarkerLogs } from './marker-logs.ts';
import { MediaPlaylists, type PlaylistView } from './media-playlists.ts';
import { recordedEntries } from './recorded-entries.ts';

export type Viewed = Readonly<{ document: Document; maxAgeSeconds: number }>;

/** A playlist that is not served any more; `location`: the address of the one in its place. */
export class PlaylistMoved extends Error {
  override readonly name = 'PlaylistMoved';
  readonly location: string;

  constructor(location: string) {
    super(`The playlist is at ${location} now.`);
    this.location = location;
  }
}

/** All throw `stream_not_found`; playlists also `not_started`, `expired`, `rendition_not_found` and `not_ready`. */
export type Viewer = Readonly<{
  state(videoId: string): Promise<StreamView>;
  multivariant(videoId: string): Promise<Viewed>;
  /**
   * `broadcast`: 1 for the first; one more each time that the stream went on after its end was shown. `kept`: of a
   * recording, one more each time that retention has changed it. Throws `PlaylistMoved`.
   */
  media(
    videoId: string,
    rendition: string,
    view: PlaylistView,
    broadcast?: number,
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

/** One for the life of the process: it keeps what it has rendered. */
export function createViewer(deps: Deps): Viewer {
  const { records, clock } = deps;
  const markers = new MarkerLogs(deps);
  const playlists = new MediaPlaylists(deps, markers);
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
    if (known?.version === recordingVersion(state) && isCurrent(known, state)) return known;
    const found = await storedRecording(deps, stream, state);
    if (found) stored.set(stream.uid, found);
    return found;
  };

  /** A playlist that has ended stays as it is, and is not served any more when some of it has expired. */
  const listsGone = async (stream: Stream, state: TimelineState): Promise<boolean> => {
    const gone = goneBelow(state.kept, clock.now());
    if (gone <= state.firstListedSequence) return false;
    return (await findFirstListed(records, stream, state)) < gone;
  };

  /** What is there can be watched also while no job can be queued, as on a full disk. */
  const requestQuietly = (stream: Stream): Promise<void> =>
    requestRecordingPlaylists(deps, stream).catch((error) =>
      reportError(error, 'requesting the playlists of a recording'),
    );

  return {
    async state(videoId) {
      const { stream, state } = await load(videoId);
      const view = { ...viewOf(stream, state), ...(await intakeOf(deps, stream, state)) };
      if (state.endedAtMs === undefined || state.lateArrivals === 0) return view;
      if (!isLong(state)) return { ...view, durationSeconds: await recordedSeconds(stream, state) };
      const { durationSeconds } = (await storedOf(stream, state)) ?? view;
      return { ...view, durationSeconds };
    },

    async markers(videoId, filter) {
      const { stream, state } = await load(videoId);
      return listMarkers(deps, stream, state, await markers.of(stream, state), filter);
    },

    async multivariant(videoId) {
      const { stream, state } = await loadStarted(videoId);
      // Viewers who come after the end get the recording; those who watched live keep their playlist.
      const found = isLong(state) ? await storedOf(stream, state) : undefined;
      const isRecording = showsEnd(state) && (!isLong(state) || found !== undefined);
      if (isRecording) requireSomething(stream, state);
      const suffix = isRecording ? recordingQuery(found, state) : liveQuery(state);
      const text = formatMultivariantPlaylist(
        presentationOf(state),
        (rendition) => `${videoId}/${rendition}.m3u8${suffix}`,
      );
      return viewed(isRecording, documentOf(text));
    },

    async media(videoId, rendition, view, broadcast = 1, kept = 0) {
      const { stream, state } = await loadStarted(videoId);
      if (!state.renditions[rendition]) {
        throw new DomainError(
          'rendition_not_found',
          `Stream "${videoId}" has no rendition "${rendition}".`,
          `It has ${Object.keys(state.renditions).join(', ')}.`,
        );
      }
      let { lateArrivals } = state;
      let found: StoredRecording | undefined;
      if (isLong(state)) {
        found = await storedOf(stream, state);
        // Its job may have been lost, or given up.
        if (!isCurrent(found, state)) await requestQuietly(stream);
        lateArrivals = found?.lateArrivals ?? lateArrivals;
      }
      if (view === 'vod' && state.endedAtMs !== undefined) {
        requireSomething(stream, state);
        const isThere = found
          ? kept === (found.keptVersion ?? 0)
          : isPresented(state.kept, kept, clock.now());
        if (!isThere) throw movedTo(rendition, recordingQuery(found, state));
        const before = keptAt(state.kept, kept);
        const recorded = { ...state, lateArrivals, ...(before && { kept: before }) };
        return viewed(true, await playlists.render(stream, recorded, rendition, 'vod', true));
      }
      const earlier = endedBroadcast(state, broadcast);
      const ended = earlier !== undefined || showsEnd(state);
      const shown = { ...withWindow(stream, state), ...earlier };
      if (ended && (await listsGone(stream, shown))) {
        requireSomething(stream, state);
        const query = showsEnd(state) ? recordingQuery(found, state) : liveQuery(state);
        throw movedTo(rendition, query);
      }
      const of = earlier ? (`live ${earlier.broadcast}` as const) : 'live';
      return viewed(ended, await playlists.render(stream, shown, rendition, of, ended));
    },
  };
}

/** Of a recording's playlists: retention gives them other addresses, as those that have ended never change. */
function recordingQuery(found: StoredRecording | undefined, { kept }: TimelineState): string {
  const version = found ? (found.keptVersion ?? 0) : (kept?.version ?? 0);
  return version > 0 ? `?view=vod&kept=${version}` : '?view=vod';
}

const movedTo = (rendition: string, query: string): PlaylistMoved =>
  new PlaylistMoved(`${rendition}.m3u8${query}`);

function liveQuery(state: TimelineState): string {
  const broadcast = currentBroadcast(state);
  return broadcast > 1 ? `?broadcast=${broadcast}` : '';
}

/** Throws `expired`. */
function requireSomething(stream: Stream, { kept }: TimelineState): void {
  if (kept && !kept.first) throw expired(stream, kept);
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
