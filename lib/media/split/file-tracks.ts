/** The tracks of a whole file that are taken, as the splitter reads them and as its segments describe them. */

import {
  EncodedAudioPacketSource,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  type Input,
  type InputAudioTrack,
  type InputVideoTrack,
  MatroskaInputFormat,
  Mp4OutputFormat,
  NullTarget,
  Output,
} from 'mediabunny';
import { type AudioCodec, MEDIA_FORMATS, type VideoCodec } from '../../domain/media-format.ts';
import { OPUS_RATE_HZ } from '../../domain/opus-packets.ts';
import { MAX_AUDIO_TRACKS } from '../../domain/segment-work.ts';
import { parseAvcSps } from '../demux/avc-sps.ts';
import { BitstreamError } from '../demux/bit-reader.ts';
import { unitsInAnnexB } from '../demux/nal-units.ts';
import { boxesAt, viewOf } from '../iso-boxes.ts';
import type { TrackInit } from '../mux/track-init.ts';
import type { TrackLanguages } from './track-languages.ts';

export type FileTrack = Readonly<{
  sink: EncodedPacketSink;
  /** For the header of each segment; `timescale` is left to the writer. */
  init: Omit<TrackInit, 'timescale'>;
  /** Packets in the bit stream format of MPEG-TS: start codes, ADTS headers. */
  isTransport: boolean;
}>;

export type FileVideo = FileTrack & Readonly<{ codec: VideoCodec; pixels: number }>;
export type FileAudio = FileTrack &
  Readonly<{
    codec: AudioCodec;
    sampleRateHz: number;
    language: string;
    /** Of Matroska and WebM: by which the times that the demuxer tells are late (CodecDelay). */
    delaySeconds: number;
  }>;

export type FileTracks = Readonly<{
  video?: FileVideo;
  audio: readonly FileAudio[];
}>;

/** Of what our segments cannot carry; ffmpeg has to encode it. */
export type ForeignTracks = Readonly<{ video: boolean; audio: boolean }>;

const { video: VIDEO_CODECS, audio: AUDIO_CODECS } = MEDIA_FORMATS.fmp4;

export type OpenedTracks = Readonly<{
  tracks: FileTracks;
  foreign: ForeignTracks;
  /** Of audio tracks, all of them. */
  audioTracks: number;
}>;

/** The first video track and the first audio tracks. Throws whatever the demuxer throws. */
export async function openTracks(
  input: Input,
  languages: TrackLanguages = new Map(),
): Promise<OpenedTracks> {
  const [picture] = await input.getVideoTracks();
  const sounds = await input.getAudioTracks();
  const video = picture && (await openVideo(picture));
  const isMatroska = (await input.getFormat()) instanceof MatroskaInputFormat;
  const audio: FileAudio[] = [];
  for (const [index, track] of sounds.slice(0, MAX_AUDIO_TRACKS).entries()) {
    const told = await track.getLanguageCode();
    const known = languages.get(track.id) ?? languages.get(index) ?? 'und';
    const opened = await openAudio(track, told === 'und' ? known : told, isMatroska);
    if (opened) audio.push(opened);
  }
  const taken = Math.min(sounds.length, MAX_AUDIO_TRACKS);
  return {
    tracks: { ...(video && { video }), audio },
    foreign: { video: picture !== undefined && !video, audio: audio.length < taken },
    audioTracks: sounds.length,
  };
}

/** undefined: our segments cannot carry it. */
async function openVideo(track: InputVideoTrack): Promise<FileVideo | undefined> {
  const found = await track.getCodec();
  const codec = VIDEO_CODECS.find((known) => known === found);
  const told = codec && (await track.getDecoderConfig());
  const sink = new EncodedPacketSink(track);
  const first = told && (await sink.getFirstPacket());
  if (!codec || !told || !first) return undefined;
  const isTransport = (codec === 'avc' || codec === 'hevc') && !told.description;
  const decoderConfig =
    isTransport && codec === 'avc' ? { ...told, ...sizeOfFields(first.data) } : told;
  const source = new EncodedVideoPacketSource(codec);
  const rotation = await track.getRotation();
  const boxes = await headerBoxes(
    (output) => output.addVideoTrack(source, { rotation }),
    () => source.add(first, { decoderConfig }),
  );
  if (!boxes) return undefined;
  const { codedWidth = 0, codedHeight = 0 } = decoderConfig;
  const pixels = codedWidth * codedHeight;
  return { sink, codec, pixels, isTransport, init: { kind: 'video', ...boxes } };
}

/**
 * Of interlaced H.264 in MPEG-TS, whose height the demuxer takes for half of what it is: as it is shown, in
 * square pixels. Of anything else it is right.
 */
function sizeOfFields(packet: Uint8Array): Partial<VideoDecoderConfig> {
  for (const unit of unitsInAnnexB(packet)) {
    if (((unit[0] ?? 0) & 0x1f) !== SPS_TYPE) continue;
    try {
      const { fields, widthPx, heightPx } = parseAvcSps(unit);
      if (!fields) return {};
      const shape = { displayAspectWidth: widthPx, displayAspectHeight: heightPx };
      return { codedWidth: widthPx, codedHeight: heightPx, ...shape };
    } catch (error) {
      if (error instanceof BitstreamError) return {};
      throw error;
    }
  }
  return {};
}

const SPS_TYPE = 7;

async function openAudio(
  track: InputAudioTrack,
  language: string,
  isMatroska: boolean,
): Promise<FileAudio | undefined> {
  const found = await track.getCodec();
  const codec = AUDIO_CODECS.find((known) => known === found);
  const decoderConfig = codec && (await track.getDecoderConfig());
  const sink = new EncodedPacketSink(track);
  const first = decoderConfig && (await sink.getFirstPacket());
  if (!codec || !decoderConfig || !first) return undefined;
  const source = new EncodedAudioPacketSource(codec);
  const boxes = await headerBoxes(
    (output) => output.addAudioTrack(source),
    () => source.add(first, { decoderConfig }),
  );
  if (!boxes) return undefined;
  const { sampleDescription } = boxes;
  return {
    ...{ sink, codec, language, sampleRateHz: decoderConfig.sampleRate },
    delaySeconds: isMatroska && codec === 'opus' ? preSkipOf(decoderConfig) / OPUS_RATE_HZ : 0,
    isTransport: codec === 'aac' && !decoderConfig.description,
    init: { kind: 'audio', sampleDescription, packedLanguage: packLanguage(language) },
  };
}

/** Of OpusHead (RFC 7845, 5.1): as the first packet's time is that of its first sample, which is not heard. */
function preSkipOf({ description }: AudioDecoderConfig): number {
  if (!description) return 0;
  const head = ArrayBuffer.isView(description)
    ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
    : new Uint8Array(description);
  return head.length < 12 ? 0 : viewOf(head).getUint16(10, true);
}

/** `stsd` and `tkhd` as mediabunny writes them for the first packet; undefined: it cannot. */
async function headerBoxes(
  addTrack: (output: Output) => void,
  addPacket: () => Promise<void>,
): Promise<(Pick<TrackInit, 'sampleDescription'> & { trackHeader: Uint8Array }) | undefined> {
  let moov: Uint8Array | undefined;
  const onMoov = (data: Uint8Array) => {
    moov = data;
  };
  const format = new Mp4OutputFormat({ fastStart: 'fragmented', onMoov });
  const output = new Output({ format, target: new NullTarget() });
  addTrack(output);
  await output.start();
  await addPacket();
  await output.finalize();
  if (!moov) return undefined;
  const [stsd] = boxesAt(moov, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']);
  const [tkhd] = boxesAt(moov, ['moov', 'trak', 'tkhd']);
  if (!stsd || !tkhd) return undefined;
  return {
    sampleDescription: moov.slice(stsd.start, stsd.end),
    trackHeader: moov.slice(tkhd.start, tkhd.end),
  };
}

/** ISO 639-2 in three times five bits; of a BCP 47 tag its language alone. */
function packLanguage(code: string): number {
  const [letters = ''] = code.toLowerCase().split('-');
  const known = /^[a-z]{3}$/.test(letters) ? letters : (THREE_LETTERS[letters] ?? 'und');
  return [...known].reduce((packed, letter) => (packed << 5) | (letter.charCodeAt(0) - 0x60), 0);
}

/** ISO 639-1 to 639-2, of the languages that most films have; files name nearly all by three letters. */
const THREE_LETTERS: Readonly<Record<string, string>> = Object.fromEntries(
  'ar:ara bg:bul cs:ces da:dan de:deu el:ell en:eng es:spa et:est fa:fas fi:fin fr:fra he:heb hi:hin hr:hrv hu:hun id:ind it:ita ja:jpn ko:kor lt:lit lv:lav nb:nob nl:nld no:nor pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sr:srp sv:swe th:tha tr:tur uk:ukr vi:vie zh:zho'
    .split(' ')
    .map((pair) => pair.split(':')),
);
