/** What viewers are shown: playlists from the timeline, the stream's state, single segments. */

import type { StreamView } from '../../api/messages.ts';
import { DomainError } from '../../domain/errors.ts';
import type { RenditionTotals, TimelineHead } from '../../domain/publication.ts';
import type { Stream } from '../../domain/stream.ts';
import {
  type AudioRendition,
  formatMultivariantPlaylist,
} from '../../playlist/hls-multivariant.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { averageBps, viewOf } from '../streams.ts';
import { type Document, document, MediaPlaylists, type PlaylistView } from './media-playlists.ts';

export type Viewed = Readonly<{ document: Document; maxAgeSeconds: number }>;

export type Viewer = Readonly<{
  state(videoId: string): Promise<StreamView>;
  multivariant(videoId: string): Promise<Viewed>;
  media(videoId: string, rendition: string, view: PlaylistView): Promise<Viewed>;
}>;

/**
 * How long a CDN may answer for us. Never 0: edges then stop joining requests that come at once.
 * A live playlist is news each target duration; an ended one changes when its stream is reopened.
 */
const LIVE_MAX_AGE_SECONDS = 1;
const ENDED_MAX_AGE_SECONDS = 10;

const AUDIO_GROUP = 'audio';

/** One for the life of the process: it keeps what it has rendered. */
export function createViewer(deps: Deps): Viewer {
  const { records } = deps;
  const playlists = new MediaPlaylists(records);

  const load = async (videoId: string): Promise<{ stream: Stream; head: TimelineHead }> => {
    const { value: stream } = await getStream(deps, videoId);
    const { value: head } = await records.head(stream);
    return { stream, head };
  };

  const loadStarted = async (videoId: string): ReturnType<typeof load> => {
    const loaded = await load(videoId);
    if (loaded.head.nextSequence > 0) return loaded;
    throw new DomainError(
      'not_started',
      `Stream "${videoId}" has not started.`,
      'Ask again in a few seconds: the playlist is there when the first segment is transcoded.',
    );
  };

  const viewed = (head: TimelineHead, made: Document): Viewed => ({
    document: made,
    maxAgeSeconds: head.endedAtMs === undefined ? LIVE_MAX_AGE_SECONDS : ENDED_MAX_AGE_SECONDS,
  });

  return {
    async state(videoId) {
      const { stream, head } = await load(videoId);
      return viewOf(stream, head);
    },

    async multivariant(videoId) {
      const { head } = await loadStarted(videoId);
      return viewed(head, document(multivariantOf(videoId, head)));
    },

    async media(videoId, rendition, view) {
      const { stream, head } = await loadStarted(videoId);
      if (!head.renditions[rendition]) {
        throw new DomainError(
          'rendition_not_found',
          `Stream "${videoId}" has no rendition "${rendition}".`,
          `It has ${Object.keys(head.renditions).join(', ')}.`,
        );
      }
      const shown = head.endedAtMs === undefined ? 'live' : view;
      return viewed(head, await playlists.render(stream, head, rendition, shown));
    },
  };
}

function multivariantOf(videoId: string, head: TimelineHead): string {
  // Who comes after the end gets the whole recording; who watched live keeps the playlist he has.
  const suffix = head.endedAtMs === undefined ? '' : '?view=vod';
  const uriOf = (rendition: string): string => `${videoId}/${rendition}.m3u8${suffix}`;
  const all = Object.entries(head.renditions);
  const audio = all.filter(([, { info }]) => info.kind === 'audio');
  const video = all
    .filter(([, { info }]) => info.kind === 'video')
    .toSorted(([, a], [, b]) => heightOf(b) - heightOf(a));
  const audioPeakBps = Math.max(0, ...audio.map(([, totals]) => totals.peakBps));
  const audioAverageBps = Math.max(0, ...audio.map(([, totals]) => averageBps(totals)));
  const audioCodecs = [...new Set(audio.map(([, { info }]) => info.codecString))];
  if (video.length === 0) {
    return formatMultivariantPlaylist({
      variants: audio.map(([name, totals]) => ({
        uri: uriOf(name),
        bandwidthBps: totals.peakBps,
        averageBandwidthBps: averageBps(totals),
        codecs: [totals.info.codecString],
      })),
      audio: [],
    });
  }
  return formatMultivariantPlaylist({
    variants: video.map(([name, totals]) => ({
      uri: uriOf(name),
      bandwidthBps: totals.peakBps + audioPeakBps,
      averageBandwidthBps: averageBps(totals) + audioAverageBps,
      codecs: [totals.info.codecString, ...audioCodecs],
      ...(totals.info.kind === 'video'
        ? {
            resolution: { widthPx: totals.info.widthPx, heightPx: totals.info.heightPx },
            frameRate: totals.info.framesPerSecond,
          }
        : {}),
      ...(audio.length > 0 ? { audioGroup: AUDIO_GROUP } : {}),
    })),
    audio: audio.map(([name, totals], index) => audioRendition(name, totals, index, uriOf(name))),
  });
}

const heightOf = ({ info }: RenditionTotals): number => (info.kind === 'video' ? info.heightPx : 0);

function audioRendition(
  name: string,
  { info }: RenditionTotals,
  index: number,
  uri: string,
): AudioRendition {
  const language = info.kind === 'audio' && info.language !== 'und' ? info.language : undefined;
  return {
    groupId: AUDIO_GROUP,
    // NAME must differ within a group (RFC 8216bis, 4.4.6.1.1).
    name: language === undefined ? name : index === 0 ? language : `${language} (${name})`,
    ...(language === undefined ? {} : { language }),
    isDefault: index === 0,
    autoselect: true,
    channels: info.kind === 'audio' ? info.channels : 2,
    uri,
  };
}
