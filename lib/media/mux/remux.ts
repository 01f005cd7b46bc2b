/** Joins the tracks of one segment into a file that plays by itself. */

import {
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  type EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type InputAudioTrack,
  type InputFormat,
  type InputVideoTrack,
  MP4,
  MPEG_TS,
  Mp4OutputFormat,
  MpegTsOutputFormat,
  Output,
  type OutputFormat,
  QTFF,
} from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import {
  type DownloadFormat,
  MEDIA_FORMATS,
  type SourceFormat,
} from '../../domain/media-format.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import type { SegmentBytes } from '../demux/demuxed-segment.ts';
import { isolateTracks } from '../demux/mp4.ts';
import { isTransportStream } from '../demux/mpegts-packets.ts';
import type { RenditionSegment } from './cmaf.ts';

/** One for each format that viewers may ask for; the header of MP4 comes first. */
const MUXERS: Readonly<Record<DownloadFormat, () => OutputFormat>> = {
  mp4: () => new Mp4OutputFormat({ fastStart: 'in-memory' }),
  ts: () => new MpegTsOutputFormat(),
};

/** What mediabunny reads each source format, and our renditions, with. */
const INPUT_FORMATS: Readonly<Record<SourceFormat, readonly InputFormat[]>> = {
  mp4: [MP4, QTFF],
  fmp4: [MP4],
  ts: [MPEG_TS],
};

type CmafTrack = Pick<RenditionSegment, 'init' | 'media'>;

/** CMAF renditions of one segment as one file. Times stay as they are; in MPEG-TS modulo 2^33. */
export function remuxRenditions({
  video,
  audio,
  format,
}: Readonly<{
  video?: CmafTrack;
  audio: readonly CmafTrack[];
  format: DownloadFormat;
}>): Promise<Uint8Array> {
  const tracks = video ? [video, ...audio] : audio;
  const files = tracks.map(({ init, media }) => ({ bytes: Buffer.concat([init, media]) }));
  return remux(files, format);
}

/**
 * A source segment as it came, in another format. Throws DomainError `unsupported_format` when that
 * cannot carry one of its codecs.
 */
export async function remuxSource({
  bytes,
  init,
  format,
}: SegmentBytes & Readonly<{ format: DownloadFormat }>): Promise<Uint8Array> {
  if (isTransportStream(bytes)) return format === 'ts' ? bytes : remux([{ bytes }], format);
  return remux(await isolateTracks(bytes, init), format);
}

/** Its times are later than those of the joined file by `delayTicks`. */
type InputFile = Readonly<{ bytes: Uint8Array; delayTicks?: number }>;

async function remux(files: readonly InputFile[], format: DownloadFormat): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format: MUXERS[format](), target });
  const formats = Object.values(INPUT_FORMATS).flat();
  const inputs = files.map(({ bytes, delayTicks = 0 }) => ({
    input: new Input({ source: new BufferSource(bytes), formats }),
    delaySeconds: ticksToSeconds(delayTicks),
  }));
  try {
    const copies: (() => Promise<void>)[] = [];
    const { supportsVideoTransformationMetadata } = output.format;
    for (const { input, delaySeconds } of inputs) {
      for (const track of await input.getVideoTracks()) {
        const source = new EncodedVideoPacketSource(requireCodec(format, await track.getCodec()));
        const rotation = await track.getRotation();
        output.addVideoTrack(source, supportsVideoTransformationMetadata ? { rotation } : {});
        copies.push(() => copyPackets(track, source, delaySeconds));
      }
      for (const track of await input.getAudioTracks()) {
        const source = new EncodedAudioPacketSource(requireCodec(format, await track.getCodec()));
        output.addAudioTrack(source, { languageCode: await track.getLanguageCode() });
        copies.push(() => copyPackets(track, source, delaySeconds));
      }
    }
    await output.start();
    await Promise.all(copies.map((copy) => copy()));
    await output.finalize();
  } finally {
    for (const { input } of inputs) input.dispose();
  }
  if (!target.buffer) throw new Error('The muxer gave no file.');
  return new Uint8Array(target.buffer);
}

function requireCodec<C extends string>(format: DownloadFormat, codec: C | null): C {
  const { video, audio } = MEDIA_FORMATS[format];
  if ([...video, ...audio].some((carried) => carried === codec)) return codec as C;
  throw new DomainError(
    'unsupported_format',
    `This segment has ${codec}, which cannot be put into that format.`,
    'Ask for format=mp4.',
  );
}

type PacketSink = Readonly<{
  add(packet: EncodedPacket, meta: object): Promise<void>;
  close(): void;
}>;

async function copyPackets(
  track: InputVideoTrack | InputAudioTrack,
  sink: PacketSink,
  delaySeconds: number,
): Promise<void> {
  const decoderConfig = await track.getDecoderConfig();
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const undelayed = packet.clone({ timestamp: packet.timestamp - delaySeconds });
    await sink.add(undelayed, decoderConfig ? { decoderConfig } : {});
  }
  sink.close();
}
