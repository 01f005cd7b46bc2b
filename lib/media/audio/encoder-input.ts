/** Hands audio packets of a source to ffmpeg. */

import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  OggOutputFormat,
  Output,
} from 'mediabunny';
import { adtsHeader } from '../demux/audio-frames.ts';
import type { SourceAudio } from '../demux/source-media.ts';

export type Feed = Readonly<{
  /** Name of ffmpeg's demuxer. */
  format: string;
  bytes: Uint8Array;
}>;

type FeedMaker = (packets: readonly Uint8Array[], track: SourceAudio) => Feed | Promise<Feed>;

const bare = (format: string, packets: readonly Uint8Array[]): Feed => ({
  format,
  bytes: Buffer.concat(packets),
});

const MIN_MP3_PACKETS = 12;

const repeatLast = (packets: readonly Uint8Array[], count: number): readonly Uint8Array[] =>
  Array.from({ length: Math.max(count, packets.length) }, (_, index) => {
    return packets[Math.min(index, packets.length - 1)] ?? new Uint8Array(0);
  });

const FEEDS: Readonly<Record<SourceAudio['codec'], FeedMaker>> = {
  aac: (packets, { sampleRateHz, channels }) => ({
    format: 'aac',
    bytes: Buffer.concat(
      packets.flatMap((packet) => [adtsHeader(packet.byteLength, sampleRateHz, channels), packet]),
    ),
  }),
  // Its demuxer wants some frames before it believes that this is MP3. What is too much is not used.
  mp3: (packets) => bare('mp3', repeatLast(packets, MIN_MP3_PACKETS)),
  ac3: (packets) => bare('ac3', packets),
  eac3: (packets) => bare('eac3', packets),
  opus: async (packets, track) => ({ format: 'ogg', bytes: await writeOgg(packets, track) }),
};

/** A file from which ffmpeg decodes every packet, and of which it cuts nothing off. */
export const makeFeed = async (track: SourceAudio, packets: readonly Uint8Array[]): Promise<Feed> =>
  FEEDS[track.codec](packets, track);

async function writeOgg(packets: readonly Uint8Array[], track: SourceAudio): Promise<Uint8Array> {
  const { channels, samplesPerPacket, sampleRateHz } = track;
  const target = new BufferTarget();
  const output = new Output({ format: new OggOutputFormat(), target });
  const source = new EncodedAudioPacketSource('opus');
  output.addAudioTrack(source);
  await output.start();
  const decoderConfig = {
    codec: 'opus',
    sampleRate: sampleRateHz,
    numberOfChannels: channels,
    description: opusHead(track),
  };
  const duration = samplesPerPacket / sampleRateHz;
  for (const [index, bytes] of packets.entries()) {
    await source.add(new EncodedPacket(bytes, 'key', index * duration, duration), {
      decoderConfig,
    });
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}

/** RFC 7845, 5.1, with no samples to skip: what comes first was preceded by other packets. */
function opusHead({ channels, config }: SourceAudio): Uint8Array {
  const head = Buffer.from(config ?? Buffer.alloc(19));
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(0, 10);
  head.writeUInt32LE(48_000, 12);
  return head;
}
