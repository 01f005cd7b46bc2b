/** What viewers are shown: playlists from the timeline, and the stream's state. */

import type { StreamView } from '../../api/messages.ts';
import { DomainError } from '../../domain/errors.ts';
import { presentationOf } from '../../domain/presentation.ts';
import { dvrWindowTicks, type Stream } from '../../domain/stream.ts';
import { type TimelineState, withDvrWindow } from '../../domain/timeline.ts';
import { formatMultivariantPlaylist } from '../../playlist/hls-multivariant.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { viewOf } from '../streams.ts';
import { type Document, documentOf } from './document.ts';
import { MediaPlaylists, type PlaylistView } from './media-playlists.ts';

export type Viewed = Readonly<{ document: Document; maxAgeSeconds: number }>;

/** All throw `stream_not_found`; playlists also `not_started` and `rendition_not_found`. */
export type Viewer = Readonly<{
  state(videoId: string): Promise<StreamView>;
  multivariant(videoId: string): Promise<Viewed>;
  media(videoId: string, rendition: string, view: PlaylistView): Promise<Viewed>;
}>;

/**
 * How long a CDN may serve an answer. Never 0: edges then stop collapsing concurrent requests.
 * A live playlist changes each target duration, an ended one when its stream is reopened.
 */
const LIVE_MAX_AGE_SECONDS = 1;
const ENDED_MAX_AGE_SECONDS = 10;

/** One for the life of the process: it keeps what it has rendered. */
export function createViewer(deps: Deps): Viewer {
  const { records } = deps;
  const playlists = new MediaPlaylists(records);

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

  const viewed = ({ endedAtMs }: TimelineState, text: Document): Viewed => ({
    document: text,
    maxAgeSeconds: endedAtMs === undefined ? LIVE_MAX_AGE_SECONDS : ENDED_MAX_AGE_SECONDS,
  });

  return {
    async state(videoId) {
      const { stream, state } = await load(videoId);
      return viewOf(stream, state);
    },

    async multivariant(videoId) {
      const { state } = await loadStarted(videoId);
      // Viewers who come after the end get the recording; those who watched live keep their playlist.
      const suffix = state.endedAtMs === undefined ? '' : '?view=vod';
      const text = formatMultivariantPlaylist(
        presentationOf(state),
        (rendition) => `${videoId}/${rendition}.m3u8${suffix}`,
      );
      return viewed(state, documentOf(text));
    },

    async media(videoId, rendition, view) {
      const { stream, state } = await loadStarted(videoId);
      if (!state.renditions[rendition]) {
        throw new DomainError(
          'rendition_not_found',
          `Stream "${videoId}" has no rendition "${rendition}".`,
          `It has ${Object.keys(state.renditions).join(', ')}.`,
        );
      }
      // The window is the publisher's; a timeline from before it kept one follows the setting.
      const windowed =
        state.dvrWindowTicks === undefined
          ? withDvrWindow(state, dvrWindowTicks(stream.settings), 0)
          : state;
      const shown = state.endedAtMs === undefined ? 'live' : view;
      return viewed(state, await playlists.render(stream, windowed, rendition, shown));
    },
  };
}
