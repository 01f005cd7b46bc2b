/** Playlists as hls.js understands them, in our types. Throws what hls.js would stop playing for. */

import { type Fragment, M3U8Parser, PlaylistLevelType } from 'hls.js';

const BASE_URL = 'https://playlist.test/';

export type HlsSegment = Readonly<{
  uri: string;
  sequence: number;
  /** Rises by one with each EXT-X-DISCONTINUITY. */
  discontinuitySequence: number;
  durationSeconds: number;
  programDateTimeMs: number | null;
  gap: boolean;
  mapUri: string | undefined;
}>;

export type HlsMediaPlaylist = Readonly<{
  version: number | null;
  targetDurationSeconds: number;
  mediaSequence: number;
  playlistType: string | null;
  ended: boolean;
  segments: readonly HlsSegment[];
}>;

export function parseMediaWithHls(text: string): HlsMediaPlaylist {
  if (!M3U8Parser.isMediaPlaylist(text)) throw new Error('hls.js sees no media playlist.');
  const details = M3U8Parser.parseLevelPlaylist(text, BASE_URL, 0, PlaylistLevelType.MAIN, 0, null);
  if (details.playlistParsingError) throw details.playlistParsingError;
  return {
    version: details.version,
    targetDurationSeconds: details.targetduration,
    mediaSequence: details.startSN,
    playlistType: details.type,
    ended: !details.live,
    segments: details.fragments.map((fragment: Fragment) => ({
      uri: fragment.relurl ?? '',
      sequence: Number(fragment.sn),
      discontinuitySequence: fragment.cc,
      durationSeconds: fragment.duration,
      programDateTimeMs: fragment.programDateTime,
      gap: fragment.gap ?? false,
      mapUri: fragment.initSegment?.relurl,
    })),
  };
}

export type HlsMultivariantPlaylist = Readonly<{
  /** `attributes`: all of the line, without quotes. */
  variants: readonly Readonly<{
    uri: string;
    bandwidthBps: number;
    widthPx?: number;
    heightPx?: number;
    videoCodec?: string;
    audioCodec?: string;
    attributes: Readonly<Record<string, string>>;
  }>[];
  audio: readonly Readonly<{
    groupId: string;
    name: string;
    language?: string;
    isDefault: boolean;
    autoselect: boolean;
    channels?: string;
    uri: string;
  }>[];
}>;

/** URIs come back absolute, below `https://playlist.test/`. */
export function parseMultivariantWithHls(text: string): HlsMultivariantPlaylist {
  if (M3U8Parser.isMediaPlaylist(text)) throw new Error('hls.js sees a media playlist.');
  const parsed = M3U8Parser.parseMasterPlaylist(text, BASE_URL);
  const media = M3U8Parser.parseMasterPlaylistMedia(text, BASE_URL, parsed);
  if (parsed.playlistParsingError) throw parsed.playlistParsingError;
  return {
    variants: parsed.levels.map((level) => ({
      uri: level.url,
      bandwidthBps: level.bitrate,
      ...(level.width !== undefined && { widthPx: level.width }),
      ...(level.height !== undefined && { heightPx: level.height }),
      ...(level.videoCodec !== undefined && { videoCodec: level.videoCodec }),
      ...(level.audioCodec !== undefined && { audioCodec: level.audioCodec }),
      attributes: { ...level.attrs } as Readonly<Record<string, string>>,
    })),
    audio: (media.AUDIO ?? []).map((rendition) => ({
      groupId: rendition.groupId,
      name: rendition.name,
      ...(rendition.lang !== undefined && { language: rendition.lang }),
      isDefault: rendition.default,
      autoselect: rendition.autoselect,
      ...(rendition.channels !== undefined && { channels: rendition.channels }),
      uri: rendition.url,
    })),
  };
}
