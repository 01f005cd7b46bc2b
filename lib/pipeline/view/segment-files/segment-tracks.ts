/** What the file of a segment holds: pieces of renditions, as playlists list them at its entry. */

import type { DownloadFormat } from '../../../domain/media-format.ts';
import { segmentFileKey, silenceKey } from '../../../domain/object-keys.ts';
import { pieceLister } from '../../../domain/presentation.ts';
import type { RecordedEntry } from '../../../domain/recording.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { EntryRendition } from '../../../domain/timeline.ts';
import { digestOf } from '../../digest.ts';
import type { WebmJob } from '../../jobs/webm.ts';
import type { SoundKeys } from './read-pieces.ts';
import type { Moment } from './segment-moment.ts';

export type SegmentTracks = Readonly<{
  /** Of the rendition, or of the one that stands in for it; undefined where it lists a gap. */
  video: Readonly<{ name: string; piece: EntryRendition }> | undefined;
  audio:
    | (SoundKeys &
        Readonly<{
          name: string;
          /** As in the file's key. */
          neighbours: string;
        }>)
    | undefined;
  /** Of the segment, in ticks of the timeline. */
  bounds: Readonly<{ startTicks: number; endTicks: number }>;
}>;

/** By the names of renditions; `language`: BCP 47. */
export function segmentTracks(
  moment: Moment,
  videoName: string | undefined,
  audio: Readonly<{ name: string; language: string | undefined }> | undefined,
): SegmentTracks {
  const { startTicks, durationTicks } = moment.entry;
  return {
    video: videoName === undefined ? undefined : listed(moment, videoName, moment.entry),
    audio: audio && soundAt(moment, audio.name, audio.language),
    bounds: { startTicks, endTicks: startTicks + durationTicks },
  };
}

function listed(
  { stream, state }: Moment,
  rendition: string,
  entry: RecordedEntry,
): SegmentTracks['video'] {
  const keyOf = (name: string, sequence: number) => silenceKey(stream, name, sequence);
  const { rendition: name, piece } = pieceLister(state, rendition, keyOf)(entry);
  return piece && { name, piece };
}

function soundAt(moment: Moment, rendition: string, language = 'und'): SegmentTracks['audio'] {
  const own = listed(moment, rendition, moment.entry);
  if (!own) return undefined;
  const { name, piece } = own;
  const beside = [moment.before, moment.after].map((entry) => {
    const near = entry && listed(moment, rendition, entry)?.piece;
    return near?.initKey === piece.initKey ? near.key : undefined;
  });
  const [first, last] = beside;
  return {
    ...{ name, language, initKey: piece.initKey },
    keys: [first, piece.key, last].filter((key) => key !== undefined),
    neighbours: beside.map((key) => (key === undefined ? '0' : '1')).join(''),
  };
}

export const keyOfTracks = (
  { stream, entry }: Moment,
  { video, audio }: SegmentTracks,
  format: DownloadFormat,
): string => {
  const neighbours = audio?.neighbours ?? '00';
  const names = { video: video?.name ?? 'none', audio: soundName(stream, audio), neighbours };
  return segmentFileKey(stream, entry, names, format);
};

/** Of a language that is uploaded on its own what comes late takes the place of silence. */
function soundName({ languages = [] }: Stream, audio: SegmentTracks['audio']): string {
  if (!audio) return 'none';
  const isComposed = languages.some(({ name }) => name === audio.name);
  const digest = isComposed && digestOf(Buffer.from(audio.keys.join())).slice(0, 12);
  return digest ? `${audio.name}-${digest}` : audio.name;
}

/** Of timelines from before it was recorded. */
const UNKNOWN_MAXRATE_BPS = 2_500_000;

export function webmJobOf(moment: Moment, tracks: SegmentTracks): WebmJob {
  const { stream, state } = moment;
  const { video, audio, bounds } = tracks;
  const info = state.renditions[video?.name ?? '']?.info;
  const maxrateBps = info?.kind === 'video' ? info.maxrateBps : undefined;
  return {
    ...{ videoId: stream.videoId, uid: stream.uid, key: keyOfTracks(moment, tracks, 'webm') },
    ...bounds,
    picture: video && {
      ...{ initKey: video.piece.initKey, key: video.piece.key },
      maxrateBps: maxrateBps ?? UNKNOWN_MAXRATE_BPS,
    },
    sound: audio && { initKey: audio.initKey, keys: audio.keys, language: audio.language },
  };
}
