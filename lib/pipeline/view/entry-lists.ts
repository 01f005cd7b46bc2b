/** The lists of a stream's entries as text, by name: media playlists, those of keyframes and of images, an index of thumbnails. */

import type { MarkerTag } from '../../domain/markers/marker-log.ts';
import { thumbnailsOf } from '../../domain/pictures/thumbnails.ts';
import {
  renditionOfKeyframes,
  THUMBNAIL_IMAGES,
  THUMBNAIL_INDEX,
} from '../../domain/pictures/trick-play.ts';
import type { ListedPiece } from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import type { TimelineState } from '../../domain/timeline.ts';
import {
  ENDLIST,
  formatHeader,
  formatSegment,
  type MediaPlaylistHeader,
} from '../../playlist/hls-media.ts';
import { vttTime } from '../../playlist/webvtt.ts';
import { imageOf, keyframeOf, linesOf, listerOf, segmentOf, uriOf } from './listed-segment.ts';

export type EntryList = Readonly<{
  header(header: Omit<MediaPlaylistHeader, 'only'>): string;
  /** `before`: what it lists right before; undefined for the first. */
  list(
    entry: RecordedEntry,
    before: ListedPiece | undefined,
  ): Readonly<{ text: string; listed: ListedPiece }>;
  /** Lines of markers, in front of an entry or behind the last. */
  markers(tags: readonly MarkerTag[]): string;
  /** Behind the last entry that there will be. */
  end: string;
}>;

/** `name` as in `listsOf`. `view`: live captions are printed with what was known by then. */
export function entryList(
  stream: Stream,
  state: Pick<TimelineState, 'renditions' | 'captions' | 'discontinuities'>,
  name: string,
  view: 'live' | 'vod',
): EntryList {
  if (name === THUMBNAIL_INDEX) return THUMBNAILS;
  if (name === THUMBNAIL_IMAGES) {
    return {
      header: (header) => formatHeader({ ...header, only: 'images' }),
      list: (entry) => ({
        text: formatSegment(imageOf(stream, entry), undefined),
        listed: NOTHING,
      }),
      markers: linesOf,
      end: ENDLIST,
    };
  }
  const ofKeyframes = renditionOfKeyframes(name);
  const listPiece = listerOf(stream, state, ofKeyframes ?? name, view);
  const print = ofKeyframes === undefined ? segmentOf : keyframeOf;
  return {
    header: (header) =>
      formatHeader(ofKeyframes === undefined ? header : { ...header, only: 'keyframes' }),
    list(entry, before) {
      const listed = listPiece(entry, before);
      const text = formatSegment(
        print(stream, entry, listed),
        before?.initKey ? uriOf(before.initKey) : undefined,
      );
      return { text, listed };
    },
    markers: linesOf,
    end: ENDLIST,
  };
}

const NOTHING: ListedPiece = { rendition: '', piece: undefined, initKey: '' };

/**
 * Times are from the start of the stream, over discontinuities, too. The name of each cue is its instant on
 * the stream's wall clock: positions of a live player count from elsewhere.
 */
const THUMBNAILS: EntryList = {
  header: () => 'WEBVTT\n\n',
  list({ thumbnails, durationTicks, offsetTicks, programDateTimeMs }) {
    const cues = thumbnails ? thumbnailsOf(thumbnails, durationTicks) : [];
    const text = cues.map(({ leftPx, startTicks, endTicks }) => {
      const instant = new Date(Math.round(programDateTimeMs + ticksToMs(startTicks)));
      const { key = '', widthPx, heightPx } = thumbnails ?? {};
      return `${instant.toISOString()}
${vttTime(offsetTicks + startTicks)} --> ${vttTime(offsetTicks + endTicks)}
${uriOf(key)}#xywh=${leftPx},0,${widthPx},${heightPx}

`;
    });
    return { text: text.join(''), listed: NOTHING };
  },
  markers: () => '',
  end: '',
};
