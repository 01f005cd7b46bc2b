/** Multivariant playlists as text (RFC 8216bis, 4.4.6; Apple's HLS authoring specification, 9). */

import type { AudioGroup, AudioRendition, Presentation, Variant } from '../domain/presentation.ts';
import { checkedUri, formatAttributes, quoted, quotedLabel } from './hls-attributes.ts';
import { formatStart } from './hls-media.ts';

/** URI of the media playlist of a rendition, given its name. */
export type PlaylistUri = (rendition: string) => string;

// Nothing below asks for a version, but its media playlists do: better to be refused here at once.
const HEADER = '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n';

/** `startSeconds`: where players begin in each of the playlists; left out: where they do by themselves. */
export function formatMultivariantPlaylist(
  { audioGroups, variants }: Pick<Presentation, 'audioGroups' | 'variants'>,
  uriOf: PlaylistUri,
  startSeconds?: number,
): string {
  const start = startSeconds === undefined ? '' : formatStart(startSeconds);
  const audio = audioGroups.flatMap((group) =>
    group.renditions.map((rendition) => formatAudio(group, rendition, uriOf)),
  );
  return [
    HEADER,
    start,
    ...audio,
    ...variants.map((variant) => formatVariant(variant, uriOf)),
  ].join('');
}

function formatAudio(group: AudioGroup, rendition: AudioRendition, uriOf: PlaylistUri): string {
  const { language, label, isDefault, channels } = rendition;
  const attributes = formatAttributes({
    TYPE: 'AUDIO',
    'GROUP-ID': quoted(group.id),
    NAME: quotedLabel(label),
    LANGUAGE: language === undefined ? undefined : quoted(language),
    DEFAULT: isDefault ? 'YES' : 'NO',
    AUTOSELECT: 'YES',
    CHANNELS: quoted(String(channels)),
    // The default is what the variant lists: a second address would make players load it twice.
    URI: group.isInVariant && isDefault ? undefined : quoted(checkedUri(uriOf(rendition.name))),
  });
  return `#EXT-X-MEDIA:${attributes}\n`;
}

function formatVariant(variant: Variant, uriOf: PlaylistUri): string {
  const { resolution, framesPerSecond, audioGroupId } = variant;
  const attributes = formatAttributes({
    BANDWIDTH: Math.ceil(variant.peakBps),
    'AVERAGE-BANDWIDTH': Math.ceil(variant.averageBps),
    CODECS: quoted(variant.codecs.join(',')),
    RESOLUTION: resolution && `${resolution.widthPx}x${resolution.heightPx}`,
    'FRAME-RATE': framesPerSecond === undefined ? undefined : Number(framesPerSecond.toFixed(3)),
    'VIDEO-RANGE': resolution && 'SDR',
    AUDIO: audioGroupId === undefined ? undefined : quoted(audioGroupId),
    // Without it players offer captions that may be in the video; NONE must stand on every variant.
    'CLOSED-CAPTIONS': 'NONE',
  });
  return `#EXT-X-STREAM-INF:${attributes}\n${checkedUri(uriOf(variant.rendition))}\n`;
}
