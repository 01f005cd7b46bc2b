/** Packages the tracks of one segment as a file that plays by itself; nothing is encoded. */

import {
  BufferSource,
  EncodedPacketSink,
  Input,
  type InputAudioTrack,
  type InputFormat,
  type InputVideoTrack,
  MP4,
  MPEG_TS,
  QTFF,
} from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import { languageCode } from '../../domain/languages/language-codes.ts';
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
import { type FileTrack, writeFile } from './write-file.ts';

/** What mediabunny reads each source format, and our renditions, with. */
const INPUT_FORMATS: Readonly<Record<SourceFormat, readonly InputFormat[]>> = {
  mp4: [MP4, QTFF],
  fmp4: [MP4],
  ts: [MPEG_TS],
};

/** The pieces of an audio rendition at the segment and right beside it, in order: its packets do not end at cuts. */
export type AudioPieces = Readonly<{
  init: Uint8Array;
  media: readonly Uint8Array[];
  /** BCP 47, or `und`. */
  language: string;
}>;

/**
 * CMAF renditions of one segment as one file, cut at the segment's bounds. In MPEG-TS times stay as they
 * are, modulo 2^33, and each packet of audio is in one of two neighbours: they play one behind the other.
 * Other files begin at 0; in MP4 and MOV the audio begins and ends with the picture to the sample.
 */
export async function remuxRenditions({
  video,
  audio,
  bounds,
  format,
}: Readonly<{
  video?: Pick<RenditionSegment, 'init' | 'media'> | undefined;
  audio: readonly AudioPieces[];
  /** In ticks of the timeline. */
  bounds: Readonly<{ startTicks: number; endTicks: number }>;
  format: DownloadFormat;
}>): Promise<Uint8Array> {
  const files = [
    ...(video ? [{ bytes: Buffer.concat([video.init, video.media]) }] : []),
    ...audio.map(({ init, media, language }) => ({
      bytes: Buffer.concat([init, ...media]),
      language,
    })),
  ];
  const tracks = await readTracks(files, format);
  const startSeconds = ticksToSeconds(bounds.startTicks);
  return writeFile(tracks, format, { startSeconds, endSeconds: ticksToSeconds(bounds.endTicks) });
}

export type SourceTrack = Readonly<{ trackId: number; language: string }>;

/**
 * A source segment as it came, in another format. `audio`: the tracks to keep; left out: all. Throws DomainError `unsupported_format` when the format cannot carry one of its codecs.
 */
export async function remuxSource({
  bytes,
  init,
  audio,
  format,
}: SegmentBytes &
  Readonly<{ audio?: readonly SourceTrack[]; format: DownloadFormat }>): Promise<Uint8Array> {
  const isTs = isTransportStream(bytes);
  if (isTs && format === 'ts' && !audio) return bytes;
  const files = isTs ? [{ bytes }] : await isolateTracks(bytes, init);
  return writeFile(await readTracks(files, format, audio), format);
}

type InputFile = Readonly<{
  bytes: Uint8Array;
  /** Its times are later than those of the file that is written. */
  delayTicks?: number;
  language?: string;
  /** Of a file that holds one audio track alone. */
  trackId?: number | undefined;
}>;

/** `wanted`: of the audio; left out: all of it. */
async function readTracks(
  files: readonly InputFile[],
  format: DownloadFormat,
  wanted?: readonly SourceTrack[],
): Promise<FileTrack[]> {
  const formats = Object.values(INPUT_FORMATS).flat();
  const tracks: FileTrack[] = [];
  for (const { bytes, delayTicks = 0, language, trackId } of files) {
    const input = new Input({ source: new BufferSource(bytes), formats });
    try {
      for (const track of await input.getVideoTracks()) {
        const codec = requireCodec(format, await track.getCodec());
        const rotation = await track.getRotation();
        if (rotation !== 0 && format === 'ts') throw cannotRotate(rotation);
        tracks.push({ kind: 'video', codec, rotation, ...(await readPackets(track, delayTicks)) });
      }
      for (const track of await input.getAudioTracks()) {
        const known = wanted?.find((one) => one.trackId === (trackId ?? track.id));
        if (wanted && !known) continue;
        const codec = requireCodec(format, await track.getCodec());
        const tag = known?.language ?? language;
        const code = tag === undefined ? await track.getLanguageCode() : languageCode(tag);
        const read = await readPackets(track, delayTicks);
        tracks.push({ kind: 'audio', codec, languageCode: code, ...read });
      }
    } finally {
      input.dispose();
    }
  }
  return tracks;
}

async function readPackets(track: InputVideoTrack | InputAudioTrack, delayTicks: number) {
  const delaySeconds = ticksToSeconds(delayTicks);
  const packets = [];
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const timestamp = packet.timestamp - delaySeconds;
    packets.push(delaySeconds === 0 ? packet : packet.clone({ timestamp }));
  }
  return { packets, decoderConfig: (await track.getDecoderConfig()) ?? undefined };
}

function requireCodec<C extends string>(format: DownloadFormat, codec: C | null): C {
  const { video, audio } = MEDIA_FORMATS[format];
  if ([...video, ...audio].some((carried) => carried === codec)) return codec as C;
  throw new DomainError(
    'unsupported_format',
    `The source has ${codec}, which ${format} cannot carry.`,
    'Ask for format=mp4, or for a rendition (resolution=720p).',
  );
}

const cannotRotate = (degrees: number): DomainError =>
  new DomainError(
    'unsupported_format',
    `The source's picture is turned by ${degrees} degrees, which ts cannot say.`,
    'Ask for format=mp4 or format=mov, or for a rendition (resolution=720p).',
  );
