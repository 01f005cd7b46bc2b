/** Whether a track is copied or encoded, and the pre-roll that the next segment's job encodes first. */

import type { DemuxedAudio } from '../demux/demuxed-segment.ts';

/**
 * AAC-LC in stereo or mono plays everywhere and is copied; so is HE-AAC, whose frames cannot be
 * encoded again one by one.
 */
const COPIED_AAC: ReadonlySet<string> = new Set(['mp4a.40.2', 'mp4a.40.5', 'mp4a.40.29']);
const MAX_COPIED_CHANNELS = 2;

/** false: the track is decoded and encoded as AAC-LC; so are its segments in which the format changes. */
export const isCopied = ({
  codec,
  codecString,
  channels,
}: Pick<DemuxedAudio, 'codec' | 'codecString' | 'channels'>): boolean =>
  codec === 'aac' && COPIED_AAC.has(codecString) && channels > 0 && channels <= MAX_COPIED_CHANNELS;

/** Samples in front of a segment after which the start of an encoder there is no longer audible. */
const CONTEXT_SAMPLES = 8 * 1024;

/** Opus needs more: 8 packets of 20 ms left one seam in six audible, 16 none. */
const OPUS_CONTEXT_SECONDS = 0.32;

/** Packets that a decoder needs before its first right sample: overlap, and the bit reservoir of MP3. */
const WARM_UP_PACKETS = { aac: 0, mp3: 4, ac3: 1, eac3: 2, opus: 0 } as const;

/**
 * The last packets of the track as Base64, oldest first; none for a track that is copied, or that
 * changes its format on the way.
 */
export function cutPreroll(track: DemuxedAudio): readonly string[] {
  if (isCopied(track) || track.changes) return [];
  const { codec, samplesPerPacket, sampleRateHz, packets } = track;
  const context = codec === 'opus' ? OPUS_CONTEXT_SECONDS * sampleRateHz : CONTEXT_SAMPLES;
  const count = Math.ceil(context / samplesPerPacket) + WARM_UP_PACKETS[codec];
  return packets.slice(-count).map(({ bytes }) => Buffer.from(bytes).toString('base64'));
}
