/** Multivariant playlists as text (RFC 8216bis, 4.4.6; Apple's HLS authoring specification, 9). */

import { checkedUri, formatAttributes, quoted, quotedLabel } from './hls-attributes.ts';

export type Variant = Readonly<{
  uri: string;
  /** Peak, with the audio that it plays with. */
  bandwidthBps: number;
  averageBandwidthBps: number;
  /** RFC 6381, of video and audio. */
  codecs: readonly string[];
  /** Absent: audio only. */
  resolution?: Readonly<{ widthPx: number; heightPx: number }>;
  frameRate?: number;
  /** `groupId` of the audio renditions that go with it; absent if its own segments hold all. */
  audioGroup?: string;
}>;

export type AudioRendition = Readonly<{
  groupId: string;
  /** For people; differs within a group. */
  name: string;
  /** BCP 47; absent when it is not known. */
  language?: string;
  /** At most one of a group. */
  isDefault: boolean;
  /** May be chosen for the viewer's language; a default always may. */
  autoselect: boolean;
  channels: number;
  uri: string;
}>;

/** Players begin with the first variant. */
export type MultivariantPlaylist = Readonly<{
  variants: readonly Variant[];
  audio: readonly AudioRendition[];
}>;

// Nothing below asks for a version, but its media playlists do: better to be refused here at once.
const HEAD = '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n';

export const formatMultivariantPlaylist = (playlist: MultivariantPlaylist): string =>
  HEAD + playlist.audio.map(formatAudio).join('') + playlist.variants.map(formatVariant).join('');

function formatAudio(rendition: AudioRendition): string {
  const { language, isDefault, autoselect } = rendition;
  const attributes = formatAttributes({
    TYPE: 'AUDIO',
    'GROUP-ID': quoted(rendition.groupId),
    NAME: quotedLabel(rendition.name),
    LANGUAGE: language === undefined ? undefined : quoted(language),
    DEFAULT: yesOrNo(isDefault),
    AUTOSELECT: yesOrNo(isDefault || autoselect),
    CHANNELS: quoted(String(rendition.channels)),
    URI: quoted(checkedUri(rendition.uri)),
  });
  return `#EXT-X-MEDIA:${attributes}\n`;
}

function formatVariant(variant: Variant): string {
  const { resolution, frameRate, audioGroup } = variant;
  const attributes = formatAttributes({
    BANDWIDTH: Math.ceil(variant.bandwidthBps),
    'AVERAGE-BANDWIDTH': Math.ceil(variant.averageBandwidthBps),
    CODECS: quoted(variant.codecs.join(',')),
    RESOLUTION: resolution && `${resolution.widthPx}x${resolution.heightPx}`,
    'FRAME-RATE': frameRate === undefined ? undefined : Number(frameRate.toFixed(3)),
    'VIDEO-RANGE': resolution && 'SDR',
    AUDIO: audioGroup === undefined ? undefined : quoted(audioGroup),
    // Without it players offer captions that may be in the video; NONE must stand on every variant.
    'CLOSED-CAPTIONS': 'NONE',
  });
  return `#EXT-X-STREAM-INF:${attributes}\n${checkedUri(variant.uri)}\n`;
}

const yesOrNo = (claim: boolean): string => (claim ? 'YES' : 'NO');
