/** Multivariant playlists as text (RFC 8216bis, 4.4.6; Apple's HLS authoring specification, 9). */

import type {
  AudioGroup,
  AudioRendition,
  CaptionRendition,
  Presentation,
  Variant,
} from '../domain/presentation.ts';
import { checkedUri, formatAttributes, quoted, quotedLabel } from './hls-attributes.ts';
import { formatStart } from './hls-media.ts';

/** URI of the media playlist of a rendition, given its name. */
export type PlaylistUri = (rendition: string) => string;

// Nothing below asks for a version, but its media playlists do: better to be refused here at once.
const HEADER = '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n';

const CAPTIONS_GROUP = 'captions';
const CLOSED_CAPTIONS_GROUP = 'cc';
const SDH =
  'public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound';

/** `startSeconds`: where players begin in each of the playlists; left out: where they do by themselves. */
export function formatMultivariantPlaylist(
  presentation: Pick<Presentation, 'audioGroups' | 'variants'> &
    Partial<Pick<Presentation, 'captions' | 'closedCaptions'>>,
  uriOf: PlaylistUri,
  startSeconds?: number,
): string {
  const { audioGroups, captions = [], closedCaptions = [], variants } = presentation;
  const audio = audioGroups.flatMap((group) =>
    group.renditions.map((rendition) => formatAudio(group, rendition, uriOf)),
  );
  const start = startSeconds === undefined ? '' : formatStart(startSeconds);
  const groups = {
    SUBTITLES: captions.length > 0 ? quoted(CAPTIONS_GROUP) : undefined,
    // Without it players offer captions that may be in the video; NONE must stand on every variant.
    'CLOSED-CAPTIONS': closedCaptions.length > 0 ? quoted(CLOSED_CAPTIONS_GROUP) : 'NONE',
  };
  return [
    HEADER,
    start,
    ...audio,
    ...captions.map((rendition) => formatCaptions(rendition, uriOf)),
    ...closedCaptions.map(formatClosedCaptions),
    ...variants.map((variant) => formatVariant(variant, groups, uriOf)),
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
    BANDWIDTH: Math.ceil(variant.peakBps),
    'AVERAGE-BANDWIDTH': Math.ceil(variant.averageBps),
    CODECS: quoted(variant.codecs.join(',')),
    RESOLUTION: resolution && `${resolution.widthPx}x${resolution.heightPx}`,
    'FRAME-RATE': framesPerSecond === undefined ? undefined : Number(framesPerSecond.toFixed(3)),
    'VIDEO-RANGE': resolution && 'SDR',
    AUDIO: audioGroupId === undefined ? undefined : quoted(audioGroupId),
    ...groups,
  });
  return `#EXT-X-STREAM-INF:${attributes}\n${checkedUri(uriOf(variant.rendition))}\n`;
}
