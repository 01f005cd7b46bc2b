/** Multivariant playlists as text (RFC 8216bis, 4.4.6; Apple's HLS authoring specification, 9). */

import {
  type KeyframeStream,
  keyframesOf,
  THUMBNAIL_IMAGES,
  type ThumbnailStream,
} from '../domain/pictures/trick-play.ts';
import type {
  AudioGroup,
  AudioRendition,
  CaptionRendition,
  Presentation,
  Variant,
} from '../domain/presentation.ts';
import { checkedUri, formatAttributes, quoted, quotedLabel } from './hls-attributes.ts';

/** URI of a playlist, given its name: that of a rendition, of its keyframes, or of the thumbnails. */
export type PlaylistUri = (list: string) => string;

// Nothing below asks for a version, but its media playlists do: better to be refused here at once.
const HEADER = '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n';

const CAPTIONS_GROUP = 'captions';
const CLOSED_CAPTIONS_GROUP = 'cc';
const SDH =
  'public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound';

type Offer = Pick<Presentation, 'audioGroups' | 'variants'> &
  Partial<Pick<Presentation, 'captions' | 'closedCaptions' | 'keyframes' | 'thumbnails'>>;

/** Has no EXT-X-START, which is in the media playlists: ffmpeg takes any playlist with it for a media playlist. */
export function formatMultivariantPlaylist(presentation: Offer, uriOf: PlaylistUri): string {
  const { audioGroups, captions = [], closedCaptions = [], variants } = presentation;
  const { keyframes = [], thumbnails } = presentation;
  const audio = audioGroups.flatMap((group) =>
    group.renditions.map((rendition) => formatAudio(group, rendition, uriOf)),
  );
  const groups = {
    SUBTITLES: captions.length > 0 ? quoted(CAPTIONS_GROUP) : undefined,
    // Without it players offer captions that may be in the video; NONE must stand on every variant.
    'CLOSED-CAPTIONS': closedCaptions.length > 0 ? quoted(CLOSED_CAPTIONS_GROUP) : 'NONE',
  };
  return [
    HEADER,
    ...audio,
    ...captions.map((rendition) => formatCaptions(rendition, uriOf)),
    ...closedCaptions.map(formatClosedCaptions),
    ...variants.map((variant) => formatVariant(variant, groups, uriOf)),
    ...keyframes.map((stream) => formatKeyframes(stream, uriOf)),
    ...(thumbnails ? [formatThumbnails(thumbnails, uriOf)] : []),
  ].join('');
}

function formatAudio(group: AudioGroup, rendition: AudioRendition, uriOf: PlaylistUri): string {
  const { language, label, isDefault, channels, describesVideo } = rendition;
  const attributes = formatAttributes({
    TYPE: 'AUDIO',
    'GROUP-ID': quoted(group.id),
    NAME: quotedLabel(label),
    LANGUAGE: language === undefined ? undefined : quoted(language),
    DEFAULT: isDefault ? 'YES' : 'NO',
    AUTOSELECT: 'YES',
    CHANNELS: quoted(String(channels)),
    CHARACTERISTICS: describesVideo && quoted('public.accessibility.describes-video'),
    // The default is what the variant lists: a second address would make players load it twice.
    URI: group.isInVariant && isDefault ? undefined : quoted(checkedUri(uriOf(rendition.name))),
  });
  return `#EXT-X-MEDIA:${attributes}\n`;
}

/** RFC 8216bis, 4.4.6.1; what SDH is: Apple's HLS authoring specification, 4. */
function formatCaptions(rendition: CaptionRendition, uriOf: PlaylistUri): string {
  const { name, language, label, isDefault, isForced, isSdh } = rendition;
  const attributes = formatAttributes({
    TYPE: 'SUBTITLES',
    'GROUP-ID': quoted(CAPTIONS_GROUP),
    NAME: quotedLabel(label),
    LANGUAGE: language === undefined ? undefined : quoted(language),
    DEFAULT: isDefault ? 'YES' : 'NO',
    AUTOSELECT: 'YES',
    FORCED: isForced ? 'YES' : undefined,
    CHARACTERISTICS: isSdh ? quoted(SDH) : undefined,
    URI: quoted(checkedUri(uriOf(name))),
  });
  return `#EXT-X-MEDIA:${attributes}\n`;
}

function formatClosedCaptions(channel: string): string {
  const attributes = formatAttributes({
    TYPE: 'CLOSED-CAPTIONS',
    'GROUP-ID': quoted(CLOSED_CAPTIONS_GROUP),
    NAME: quoted(channel),
    DEFAULT: 'NO',
    AUTOSELECT: 'YES',
    'INSTREAM-ID': quoted(channel),
  });
  return `#EXT-X-MEDIA:${attributes}\n`;
}

function formatVariant(
  variant: Variant,
  groups: Readonly<Record<string, string | undefined>>,
  uriOf: PlaylistUri,
): string {
  const { resolution, framesPerSecond, audioGroupId } = variant;
  const attributes = formatAttributes({
    ...formatRates(variant),
    CODECS: quoted(variant.codecs.join(',')),
    RESOLUTION: resolution && `${resolution.widthPx}x${resolution.heightPx}`,
    'FRAME-RATE': framesPerSecond === undefined ? undefined : Number(framesPerSecond.toFixed(3)),
    'VIDEO-RANGE': resolution && 'SDR',
    AUDIO: audioGroupId === undefined ? undefined : quoted(audioGroupId),
    ...groups,
  });
  return `#EXT-X-STREAM-INF:${attributes}\n${checkedUri(uriOf(variant.rendition))}\n`;
}

/** RFC 8216bis, 4.4.6.3. Without audio, so its CODECS and rates are those of the picture. */
function formatKeyframes(stream: KeyframeStream, uriOf: PlaylistUri): string {
  const { rendition, codecString, widthPx, heightPx } = stream;
  const attributes = formatAttributes({
    ...formatRates(stream),
    CODECS: quoted(codecString),
    RESOLUTION: `${widthPx}x${heightPx}`,
    'VIDEO-RANGE': 'SDR',
    URI: quoted(checkedUri(uriOf(keyframesOf(rendition)))),
  });
  return `#EXT-X-I-FRAME-STREAM-INF:${attributes}\n`;
}

/** HLS Image Media Playlist. Players that do not know it pass over it. */
function formatThumbnails(stream: ThumbnailStream, uriOf: PlaylistUri): string {
  const attributes = formatAttributes({
    ...formatRates(stream),
    CODECS: quoted('jpeg'),
    RESOLUTION: `${stream.widthPx}x${stream.heightPx}`,
    URI: quoted(checkedUri(uriOf(THUMBNAIL_IMAGES))),
  });
  return `#EXT-X-IMAGE-STREAM-INF:${attributes}\n`;
}

const formatRates = ({ peakBps, averageBps }: Pick<Variant, 'peakBps' | 'averageBps'>) => ({
  BANDWIDTH: Math.ceil(peakBps),
  'AVERAGE-BANDWIDTH': Math.ceil(averageBps),
});
