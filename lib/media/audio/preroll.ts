/** How a track's audio is made, and the packets that the next segment's job feeds to its encoder first. */

import type { AudioCodec } from '../../domain/segment.ts';
import type { SourceAudio } from '../demux/source-media.ts';

/**
 * AAC-LC in stereo or mono plays everywhere and is copied; so is HE-AAC, whose frames cannot be made
 * anew one by one.
 */
const COPIED_AAC: ReadonlySet<string> = new Set(['mp4a.40.2', 'mp4a.40.5', 'mp4a.40.29']);
const MAX_COPIED_CHANNELS = 2;

export const isCopied = ({
  codec,
  codecString,
  channels,
}: Readonly<{ codec: AudioCodec; codecString: string; channels: number }>): boolean =>
  codec === 'aac' && COPIED_AAC.has(codecString) && channels > 0 && channels <= MAX_COPIED_CHANNELS;

/** Samples in front of a segment after which an encoder has forgotten that it was started there. */
const CONTEXT_SAMPLES = 8 * 1024;

/** Opus needs more: 8 packets of 20 ms left one seam in six audible, 16 none. */
const OPUS_CONTEXT_SECONDS = 0.32;

/** Packets that a decoder needs before its first right sample: overlap, and the bit reservoir of MP3. */
const WARM_UP_PACKETS: Readonly<Record<AudioCodec, number>> = {
  aac: 0,
  mp3: 4,
  ac3: 1,
  eac3: 2,
  opus: 0,
};

/** Base64, oldest first; none for a track that is copied. */
export function cutAudioTail(track: SourceAudio): readonly string[] {
  if (isCopied(track)) return [];
  const { codec, samplesPerPacket, sampleRateHz, packets } = track;
  const context = codec === 'opus' ? OPUS_CONTEXT_SECONDS * sampleRateHz : CONTEXT_SAMPLES;
  const count = Math.ceil(context / samplesPerPacket) + WARM_UP_PACKETS[codec];
  return packets.slice(-count).map(({ bytes }) => Buffer.from(bytes).toString('base64'));
}
