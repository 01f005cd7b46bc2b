/** The pre-roll of a segment: what the next segment's job encodes first. */

import type { DemuxedAudio } from '../demux/demuxed-segment.ts';
import { canBeCopied } from './rendition-format.ts';

/** Samples in front of a segment after which the start of an encoder there is no longer audible. */
const CONTEXT_SAMPLES = 8 * 1024;

/** Opus needs more: 8 packets of 20 ms left one seam in six audible, 16 none. */
const OPUS_CONTEXT_SECONDS = 0.32;

/** Packets that a decoder needs before its first right sample: overlap, and the bit reservoir of MP3. */
const WARM_UP_PACKETS = { aac: 0, mp3: 4, ac3: 1, eac3: 2, opus: 0 } as const;

/** The last packets of the track, oldest first; none of one that changes its format on the way. */
export function prerollPackets(track: DemuxedAudio): readonly Uint8Array[] {
  if (track.changes) return [];
  const { codec, samplesPerPacket, sampleRateHz, packets } = track;
  const context = codec === 'opus' ? OPUS_CONTEXT_SECONDS * sampleRateHz : CONTEXT_SAMPLES;
  const count = Math.ceil(context / samplesPerPacket) + WARM_UP_PACKETS[codec];
  return packets.slice(-count).map(({ bytes }) => bytes);
}

/**
 * The same as Base64, to be recorded with the segment; none of a track that can be copied, as most are:
 * a job that encodes one all the same reads the segment before.
 */
export const cutPreroll = (track: DemuxedAudio): readonly string[] =>
  canBeCopied(track)
    ? []
    : prerollPackets(track).map((bytes) => Buffer.from(bytes).toString('base64'));
