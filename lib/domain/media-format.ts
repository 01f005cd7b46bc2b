/**
 * The media formats that Rivulet takes, stores and serves. A new one is a row of this table, with a
 * demuxer in lib/media/demux if it is a source, and a muxer in lib/media/mux if it is a download: the
 * compiler asks for both.
 */

export type VideoCodec = 'avc' | 'hevc' | 'vp9' | 'av1';
export type AudioCodec = 'aac' | 'mp3' | 'ac3' | 'eac3' | 'opus';

type MediaFormat = Readonly<{
  /** Of stored objects and served files, without the dot. */
  extension: string;
  contentType: string;
  /** Codecs that a segment may carry. */
  video: readonly VideoCodec[];
  audio: readonly AudioCodec[];
  /** Encoders may send segments in it. */
  isSource?: true;
  /** Viewers may ask for a segment in it (`?format=`). */
  isDownload?: true;
}>;

const ISO = {
  video: ['avc', 'hevc', 'vp9', 'av1'],
  audio: ['aac', 'mp3', 'ac3', 'eac3', 'opus'],
} as const;
const QUICKTIME = { video: ['avc', 'hevc'], audio: ['aac', 'mp3', 'ac3', 'eac3'] } as const;
const TS = { video: ['avc', 'hevc'], audio: ['aac', 'mp3', 'ac3', 'eac3'] } as const;

/** Where two formats have an extension in common, the first gives files their content type. */
export const MEDIA_FORMATS = {
  /** A file with its own header, MP4 or QuickTime (ISO/IEC 14496-12). */
  mp4: { ...ISO, extension: 'mp4', contentType: 'video/mp4', isSource: true, isDownload: true },
  /** VP9 or AV1 with Opus. Sources are not in it; of H.264 a job makes it. */
  webm: {
    ...{ video: ['vp9', 'av1'], audio: ['opus'] },
    ...{ extension: 'webm', contentType: 'video/webm', isDownload: true },
  },
  /** QuickTime: what its players and editors decode. */
  mov: { ...QUICKTIME, extension: 'mov', contentType: 'video/quicktime', isDownload: true },
  /** Movie fragments; their init segment comes in front of them or apart. */
  fmp4: { ...ISO, extension: 'm4s', contentType: 'video/iso.segment', isSource: true },
  /** MPEG-2 transport stream (ISO/IEC 13818-1). */
  ts: { ...TS, extension: 'ts', contentType: 'video/mp2t', isSource: true, isDownload: true },
  /** Video and audio renditions (CMAF, ISO/IEC 23000-19), with their init segments. */
  cmafVideo: { video: ['avc'], audio: [], extension: 'm4s', contentType: 'video/mp4' },
  cmafAudio: { video: [], audio: ['aac'], extension: 'm4s', contentType: 'audio/mp4' },
} as const satisfies Readonly<Record<string, MediaFormat>>;

type Formats = typeof MEDIA_FORMATS;
type FormatsWith<Role> = {
  [Name in keyof Formats]: Formats[Name] extends Role ? Name : never;
}[keyof Formats];

export type SourceFormat = FormatsWith<{ isSource: true }>;
export type DownloadFormat = FormatsWith<{ isDownload: true }>;

export const DOWNLOAD_FORMATS = (Object.keys(MEDIA_FORMATS) as (keyof Formats)[]).filter(
  (name): name is DownloadFormat => 'isDownload' in MEDIA_FORMATS[name],
);

/** Those that carry all of these codecs. */
export const formatsCarrying = (codecs: readonly (VideoCodec | AudioCodec)[]): DownloadFormat[] =>
  DOWNLOAD_FORMATS.filter((name) => {
    const { video, audio } = MEDIA_FORMATS[name];
    return codecs.every((codec) => [...video, ...audio].some((carried) => carried === codec));
  });

/** RFC 8216bis, 4; `application/x-mpegURL` is its older name. */
export const HLS_PLAYLIST = { extension: 'm3u8', contentType: 'application/vnd.apple.mpegurl' };

/** ISO/IEC 23009-1, annex C. */
export const DASH_MANIFEST = { extension: 'mpd', contentType: 'application/dash+xml' };
export const WEB_VTT = { extension: 'vtt', contentType: 'text/vtt; charset=utf-8' };
export const SUB_RIP = { extension: 'srt', contentType: 'application/x-subrip; charset=utf-8' };

/** Content type of a media file or playlist by its name; undefined for any other file. */
export function mediaTypeOf(fileName: string): string | undefined {
  const extension = extensionOf(fileName);
  const formats = [HLS_PLAYLIST, DASH_MANIFEST, WEB_VTT, SUB_RIP, ...Object.values(MEDIA_FORMATS)];
  return formats.find((format) => format.extension === extension)?.contentType;
}

/** In lower case, without the dot; the whole name when it has none. */
export const extensionOf = (fileName: string): string =>
  fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase();

const CODEC_NAMES: Readonly<Record<VideoCodec | AudioCodec, string>> = {
  avc: 'H.264',
  hevc: 'H.265',
  vp9: 'VP9',
  av1: 'AV1',
  aac: 'AAC',
  mp3: 'MP3',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
  opus: 'Opus',
};

/** For messages: `H.264, H.265 or VP9`. */
export const listCodecs = (
  codecs: readonly (VideoCodec | AudioCodec)[],
  join: 'or' | 'and' = 'or',
): string =>
  listWords(
    [...new Set(codecs)].map((codec) => CODEC_NAMES[codec]),
    join,
  );

/** `a, b or c`. */
export const listWords = (words: readonly string[], join: 'or' | 'and' = 'or'): string =>
  new Intl.ListFormat('en-GB', { type: join === 'or' ? 'disjunction' : 'conjunction' }).format(
    words,
  );
