/**
 * What all pieces of an audio rendition have in common, and which tracks are copied into it. The source
 * may turn from stereo to mono, or to another rate, at any time: what playlists declare of a rendition
 * stays true, and players keep the decoder that its first init segment set up.
 */

import type { AudioFacts } from '../../domain/segment.ts';
import type { DemuxedAudio } from '../demux/demuxed-segment.ts';
import { outputRate } from './frame-alignment.ts';

export type RenditionFormat = Readonly<{
  sampleRateHz: number;
  /** One or two. */
  channels: number;
  /** RFC 6381: nothing else is copied, as silence is written between its frames. Left out: any AAC is. */
  codecString?: string;
}>;

/** Of frames that the publisher composes pieces of. */
export const COMPOSED_CODEC = 'mp4a.40.2';

/** `track`: of the segment that the stream began with; undefined where that has none for the rendition. */
export const renditionFormat = (
  track: Pick<AudioFacts, 'sampleRateHz' | 'channels'> & Pick<RenditionFormat, 'codecString'> = {
    sampleRateHz: 48_000,
    channels: 2,
  },
): RenditionFormat => ({
  ...(track.codecString !== undefined && { codecString: track.codecString }),
  sampleRateHz: outputRate(track.sampleRateHz),
  channels: Math.min(track.channels || 2, 2),
});

/**
 * AAC-LC in stereo or mono plays everywhere and is copied; so is HE-AAC, whose frames cannot be
 * encoded again one by one.
 */
const COPIED_AAC: ReadonlySet<string> = new Set(['mp4a.40.2', 'mp4a.40.5', 'mp4a.40.29']);
const MAX_COPIED_CHANNELS = 2;

type Track = Pick<DemuxedAudio, 'codec' | 'codecString' | 'channels' | 'sampleRateHz'>;

/** Into a rendition of its own format. */
export const canBeCopied = ({
  codec,
  codecString,
  channels,
}: Omit<Track, 'sampleRateHz'>): boolean =>
  codec === 'aac' && COPIED_AAC.has(codecString) && channels > 0 && channels <= MAX_COPIED_CHANNELS;

/** false: the track is decoded and encoded as AAC-LC; so are its segments in which the format changes. */
export const isCopied = (track: Track, format: RenditionFormat): boolean =>
  canBeCopied(track) &&
  (format.codecString ?? track.codecString) === track.codecString &&
  track.sampleRateHz === format.sampleRateHz &&
  track.channels === format.channels;
