/** The sound of a segment as Opus, from its AAC: packets that abut those of the segments beside it. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BufferSource, EncodedPacket, EncodedPacketSink, Input, OGG } from 'mediabunny';
import { languageCode } from '../../domain/languages/language-codes.ts';
import {
  OPUS_DELAY_SAMPLES,
  OPUS_PACKET_TICKS,
  OPUS_RATE_HZ,
  planOpus,
} from '../../domain/opus-packets.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import { runFfmpeg } from '../../ffmpeg/run.ts';
import { opusArgs } from '../../ffmpeg/webm-args.ts';
import { makeEncoderInput } from '../audio/encoder-input.ts';
import { demuxSegment } from '../demux/demux.ts';
import { parseCmaf } from '../mux/cmaf.ts';
import type { AudioPieces } from '../mux/remux.ts';
import type { FileTrack } from '../mux/write-file.ts';

export type OpusEncoding = Readonly<{
  audio: AudioPieces;
  bounds: Readonly<{ startTicks: number; endTicks: number }>;
  folder: string;
  signal: AbortSignal;
}>;

/** Throws FfmpegError. */
export async function encodeOpus(job: OpusEncoding): Promise<FileTrack> {
  const { audio, bounds, folder, signal } = job;
  const file = Buffer.concat([audio.init, ...audio.media]);
  const [track] = (await demuxSegment(file)).audio;
  if (!track) throw new Error('The piece of an audio rendition has no audio.');
  const { format, bytes } = await makeEncoderInput(
    track,
    track.packets.map((packet) => packet.bytes),
  );
  const path = join(folder, 'sound.mp4');
  await writeFile(path, bytes);
  // Samples of its own rate are the track's ticks.
  const plan = planOpus(bounds, parseCmaf(file).startTicks, track.sampleRateHz);
  const channels = Math.min(2, track.channels);
  const { stdout } = await runFfmpeg({ args: opusArgs({ format, path, channels, plan }), signal });
  const encoded = await readOgg(stdout);
  const own = encoded.slice(plan.firstPacket, plan.firstPacket + plan.packets);
  if (own.length < plan.packets) {
    throw new Error(`ffmpeg made ${encoded.length} packets of Opus, too few for ${plan.packets}.`);
  }
  const packets = own.map((packet, index) => {
    const ticks = plan.startTicks + index * OPUS_PACKET_TICKS;
    return new EncodedPacket(
      packet,
      'key',
      ticksToSeconds(ticks),
      ticksToSeconds(OPUS_PACKET_TICKS),
    );
  });
  const config = { codec: 'opus', sampleRate: OPUS_RATE_HZ, numberOfChannels: channels };
  return {
    ...{ kind: 'audio', codec: 'opus', packets, languageCode: languageCode(audio.language) },
    decoderConfig: { ...config, description: opusHead(channels, track.sampleRateHz) },
  };
}

/** Packets of the only stream. */
async function readOgg(bytes: Uint8Array): Promise<Uint8Array[]> {
  const input = new Input({ source: new BufferSource(bytes), formats: [OGG] });
  try {
    const track = await input.getPrimaryAudioTrack();
    const description = (await track?.getDecoderConfig())?.description;
    const head = Buffer.from((description as Uint8Array | undefined) ?? []);
    if (!track || head.length < 12 || head.readUInt16LE(10) !== OPUS_DELAY_SAMPLES) {
      throw new Error('ffmpeg wrote no Opus, or with an unknown delay.');
    }
    const packets: Uint8Array[] = [];
    for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet.data);
    return packets;
  } finally {
    input.dispose();
  }
}

/** RFC 7845, 5.1. Nothing is to be skipped: the delay was cut off, and what came before was encoded, too. */
function opusHead(channels: number, sourceRateHz: number): Uint8Array {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt32LE(sourceRateHz, 12);
  return head;
}
