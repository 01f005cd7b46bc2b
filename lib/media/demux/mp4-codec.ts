/** The codec configuration of an MP4 track, by way of mediabunny. */

import {
  BufferSource,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  Logging,
  LogLevel,
  MP4,
} from 'mediabunny';
import { type AudioCodec, MEDIA_FORMATS, type VideoCodec } from '../../domain/media-format.ts';
import { writeFragment } from '../mux/cmaf.ts';
import { type TrackInit, writeTrackInit } from '../mux/track-init.ts';
import type { Hdr } from './video-parameters.ts';

// It writes to the console what it cannot read; what we refuse, we say ourselves.
Logging.level = LogLevel.Silent;

const { video: VIDEO_CODECS, audio: AUDIO_CODECS } = MEDIA_FORMATS.mp4;

/** What decoders need of a track's header. */
export type Mp4TrackHeader = Pick<
  TrackInit,
  'kind' | 'sampleDescription' | 'trackHeader' | 'packedLanguage'
>;

/** Enough for the headers in front of a first frame. */
const MAX_HEAD_BYTES = 65_536;
const TIMESCALE = 90_000;
const HDR_TRANSFERS: readonly Hdr[] = ['pq', 'hlg'];

export const writeHeader = (header: Mp4TrackHeader): Uint8Array =>
  writeTrackInit({ brands: ['iso6', 'mp41'], timescale: TIMESCALE, ...header });

/**
 * mediabunny sees a file of our own, with the track's validated header and the head of one frame: it
 * expands tables by whatever counts stand in them, wherever they lie. Throws whatever it throws.
 */
async function withTrack<T>(
  header: Mp4TrackHeader,
  frame: Uint8Array | undefined,
  read: (input: Input) => Promise<T>,
): Promise<T> {
  const sample = { isSync: true, durationTicks: 1, compositionTicks: 0 };
  const samples = frame ? [{ ...sample, bytes: frame.subarray(0, MAX_HEAD_BYTES) }] : [];
  const bytes = Buffer.concat([writeHeader(header), writeFragment(0, samples, 1)]);
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4] });
  try {
    return await read(input);
  } finally {
    input.dispose();
  }
}

export type VideoConfig = Readonly<{
  codec: VideoCodec;
  codecString: string;
  /** Rotation and pixel aspect applied. */
  widthPx: number;
  heightPx: number;
  saysMatrix: boolean;
  hdr?: Hdr;
  /** Bytes of the length in front of a NAL unit. */
  lengthBytes: number;
}>;

/** undefined: the codec is none that we take. Throws Error when the configuration cannot be read. */
export const readVideoConfig = (
  header: Mp4TrackHeader,
  frame?: Uint8Array,
): Promise<VideoConfig | undefined> =>
  withTrack(header, frame, async (input) => {
    const [track] = await input.getVideoTracks();
    const known = track && (await codecOf(track, VIDEO_CODECS));
    if (!known) return undefined;
    const description = await descriptionOf(track);
    const colorSpace = await track.getColorSpace();
    // WebCodecs' own names have none for these.
    const hdr = HDR_TRANSFERS.find((known) => known === String(colorSpace.transfer));
    return {
      ...known,
      widthPx: await track.getDisplayWidth(),
      heightPx: await track.getDisplayHeight(),
      saysMatrix: Boolean(colorSpace.matrix),
      ...(hdr && { hdr }),
      // `lengthSizeMinusOne` of avcC and hvcC (ISO/IEC 14496-15).
      lengthBytes: 1 + ((description?.[known.codec === 'avc' ? 4 : 21] ?? 3) & 3),
    };
  });

export type AudioConfig = Readonly<{
  codec: AudioCodec;
  codecString: string;
  sampleRateHz: number;
  channels: number;
  /** AudioSpecificConfig of AAC, OpusHead of Opus. */
  description?: Uint8Array;
}>;

/** undefined: the codec is none that we take. Throws Error when the configuration cannot be read. */
export const readAudioConfig = (
  header: Mp4TrackHeader,
  frame?: Uint8Array,
): Promise<AudioConfig | undefined> =>
  withTrack(header, frame, async (input) => {
    const [track] = await input.getAudioTracks();
    const known = track && (await codecOf(track, AUDIO_CODECS));
    if (!known) return undefined;
    const description = await descriptionOf(track);
    return {
      ...known,
      // Opus always decodes to 48 kHz; what MP4 says is the rate before encoding.
      sampleRateHz: known.codec === 'opus' ? 48_000 : await track.getSampleRate(),
      channels: await track.getNumberOfChannels(),
      ...(description && { description }),
    };
  });

async function codecOf<C extends string>(
  track: InputVideoTrack | InputAudioTrack,
  codecs: readonly C[],
) {
  const found = await track.getCodec();
  const codec = codecs.find((known) => known === found);
  const codecString = await track.getCodecParameterString();
  return codec && codecString ? { codec, codecString } : undefined;
}

async function descriptionOf(
  track: InputVideoTrack | InputAudioTrack,
): Promise<Uint8Array | undefined> {
  const data = (await track.getDecoderConfig())?.description;
  if (!data || !ArrayBuffer.isView(data)) return data && new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
