/** Joins the pieces of one segment into a file that plays by itself. */

import {
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  MP4,
  MPEG_TS,
  Mp4OutputFormat,
  MpegTsOutputFormat,
  Output,
  QTFF,
} from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import { joinInit } from '../demux/mp4.ts';

export type RemuxFormat = 'mp4' | 'ts';

export type RenditionPiece = Readonly<{ init: Uint8Array; media: Uint8Array }>;

/**
 * Our CMAF renditions of one segment as MP4 (header first) or MPEG-TS. Times stay as they are: in
 * MPEG-TS modulo 2^33.
 */
export function remuxRenditions({
  video,
  audio,
  format,
}: Readonly<{
  video?: RenditionPiece;
  audio: readonly RenditionPiece[];
  format: RemuxFormat;
}>): Promise<Uint8Array> {
  const pieces = [...(video ? [video] : []), ...audio];
  return remux(
    pieces.map(({ init, media }) => Buffer.concat([init, media])),
    format,
  );
}

/**
 * A source segment as it came, in another container. Throws DomainError `unsupported_format` when
 * MPEG-TS has no place for one of its codecs.
 */
export function remuxSource({
  bytes,
  init,
  format,
}: Readonly<{ bytes: Uint8Array; init?: Uint8Array; format: RemuxFormat }>): Promise<Uint8Array> {
  const isTs = bytes[0] === 0x47;
  if (isTs && format === 'ts') return Promise.resolve(bytes);
  return remux([isTs ? bytes : joinInit(bytes, init)], format);
}

async function remux(files: readonly Uint8Array[], format: RemuxFormat): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({
    format:
      format === 'ts' ? new MpegTsOutputFormat() : new Mp4OutputFormat({ fastStart: 'in-memory' }),
    target,
  });
  const inputs = files.map(
    (bytes) => new Input({ source: new BufferSource(bytes), formats: [MP4, QTFF, MPEG_TS] }),
  );
  try {
    const copies: (() => Promise<void>)[] = [];
    for (const input of inputs) {
      for (const track of await input.getVideoTracks()) copies.push(await addVideo(output, track));
      for (const track of await input.getAudioTracks()) copies.push(await addAudio(output, track));
    }
    await output.start();
    await Promise.all(copies.map((copy) => copy()));
    await output.finalize();
  } finally {
    for (const input of inputs) input.dispose();
  }
  if (!target.buffer) throw new Error('The muxer gave no file.');
  return new Uint8Array(target.buffer);
}

function requireCodec<C extends string>(output: Output, codec: C | null): C {
  const supported: readonly string[] = output.format.getSupportedCodecs();
  if (codec !== null && supported.includes(codec)) return codec;
  throw new DomainError(
    'unsupported_format',
    `This segment has ${codec}, which cannot be put into that format.`,
    'Ask for format=mp4.',
  );
}

async function addVideo(output: Output, track: InputVideoTrack): Promise<() => Promise<void>> {
  const source = new EncodedVideoPacketSource(requireCodec(output, await track.getCodec()));
  const decoderConfig = await track.getDecoderConfig();
  const { supportsVideoTransformationMetadata } = output.format;
  const rotation = await track.getRotation();
  output.addVideoTrack(source, supportsVideoTransformationMetadata ? { rotation } : {});
  return async () => {
    const meta = decoderConfig ? { decoderConfig } : {};
    for await (const packet of new EncodedPacketSink(track).packets())
      await source.add(packet, meta);
    source.close();
  };
}

async function addAudio(output: Output, track: InputAudioTrack): Promise<() => Promise<void>> {
  const source = new EncodedAudioPacketSource(requireCodec(output, await track.getCodec()));
  const decoderConfig = await track.getDecoderConfig();
  const languageCode = await track.getLanguageCode();
  output.addAudioTrack(source, { languageCode });
  return async () => {
    const meta = decoderConfig ? { decoderConfig } : {};
    for await (const packet of new EncodedPacketSink(track).packets())
      await source.add(packet, meta);
    source.close();
  };
}
