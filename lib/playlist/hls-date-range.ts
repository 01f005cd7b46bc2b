/** EXT-X-DATERANGE of a marker (RFC 8216bis, 4.4.5.1). */

import type { Marker } from '../domain/markers/marker.ts';
import { formatAttributes, quoted, quotedLabel } from './hls-attributes.ts';

const iso = (timeMs: number): string => quoted(new Date(timeMs).toISOString());

/**
 * `X-COM-RIVULET-DATA` is the data's JSON, percent-encoded: quoted strings cannot hold quotes. An instant has
 * a duration of 0; a marker without an end yet has neither END-DATE nor DURATION.
 */
export function formatDateRange(rangeId: string, marker: Marker): string {
  const { class: className, startMs, endMs, text, data } = marker;
  const isInstant = endMs === startMs;
  const attributes = formatAttributes({
    ID: quoted(rangeId),
    CLASS: quoted(className),
    'START-DATE': iso(startMs),
    'END-DATE': endMs === undefined || isInstant ? undefined : iso(endMs),
    DURATION: isInstant ? 0 : undefined,
    'X-COM-RIVULET-TEXT': text === undefined ? undefined : quotedLabel(text),
    'X-COM-RIVULET-DATA':
      data === undefined ? undefined : quoted(encodeURIComponent(JSON.stringify(data))),
  });
  return `#EXT-X-DATERANGE:${attributes}\n`;
}
