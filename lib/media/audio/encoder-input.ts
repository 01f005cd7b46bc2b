/** Wraps audio packets of a source into a file that ffmpeg decodes. */

import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  OggOutputFormat,
  Output,
} from 'mediabunny';
import type { AudioCodec } from '../../domain/media-format.ts';
import { AAC_LC, aacConfig } from '../demux/audio-frames.ts';
import type { DemuxedAudio } from '../demux/demuxed-segment.ts';
import { aacInit } from '../mux/aac-init.ts';
import { writeFragment } from '../mux/cmaf.ts';
import { frameSample } from './piece.ts';

export type EncoderInput = Readonly<{
  /** Name of ffmpeg's demuxer. */
  format: string;
  bytes: Uint8Array;
}>;

type Wrap = (
  packets: readonly Uint8Array[],
  track: DemuxedAudio,
) => EncoderInput | Promise<EncoderInput>;

const MIN_MP3_PACKETS = 12;

const WRAPS: Readonly<Record<AudioCodec, Wrap>> = {
  // With times: of bare AAC ffmpeg knows none before the first frame that it can decode.
  aac: (packets, track) => ({ format: 'mov', bytes: writeMov(packets, track) }),
  // ffmpeg's demuxer recognises MP3 by several frames in a row. The surplus is not used.
  mp3: (packets) => {
    const surplus = Math.max(0, MIN_MP3_PACKETS - packets.length);
    const padded = [...packets, ...Array(surplus).fill(packets.at(-1))];
    return { format: 'mp3', bytes: Buffer.concat(padded) };
  },
  ac3: (packets) => ({ format: 'ac3', bytes: Buffer.concat(packets) }),
  eac3: (packets) => ({ format: 'eac3', bytes: Buffer.concat(packets) }),
  opus: async (packets, track) => ({ format: 'ogg', bytes: await writeOgg(packets, track) }),
};

/** A file from which ffmpeg decodes every packet, and of which it cuts nothing off. */
export const makeEncoderInput = async (
  track: DemuxedAudio,
  packets: readonly Uint8Array[],
): Promise<EncoderInput> => WRAPS[track.codec](packets, track);

function writeMov(packets: readonly Uint8Array[], track: DemuxedAudio): Uint8Array {
  const { sampleRateHz, channels, samplesPerPacket } = track;
  const config = track.config ?? aacConfig(AAC_LC, sampleRateHz, channels);
  const samples = packets.map((bytes) => frameSample(bytes, samplesPerPacket));
  return Buffer.concat([aacInit({ config, sampleRateHz, channels }), writeFragment(0, samples, 1)]);
}

async function writeOgg(packets: readonly Uint8Array[], track: DemuxedAudio): Promise<Uint8Array> {
  const { channels, samplesPerPacket, sampleRateHz } = track;
  const target = new BufferTarget();
  const output = new Output({ format: new OggOutputFormat(), target });
  const source = new EncodedAudioPacketSource('opus');
  output.addAudioTrack(source);
  await output.start();
  const format = { codec: 'opus', sampleRate: sampleRateHz, numberOfChannels: channels };
  const meta = { decoderConfig: { ...format, description: opusHead(track) } };
  const duration = samplesPerPacket / sampleRateHz;
  for (const [index, bytes] of packets.entries()) {
    await source.add(new EncodedPacket(bytes, 'key', index * duration, duration), meta);
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}

/** RFC 7845, 5.1, with no samples to skip: what comes first was preceded by other packets. */
function opusHead({ channels, config }: DemuxedAudio): Uint8Array {
  const head = Buffer.from(config ?? Buffer.alloc(19));
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(0, 10);
  head.writeUInt32LE(48_000, 12);
  return head;
}
