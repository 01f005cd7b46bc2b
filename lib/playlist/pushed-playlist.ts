/** Playlists that encoders push beside their segments: ffmpeg, OBS, AWS Elemental and their like. */

import { DomainError } from '../domain/errors.ts';
import { parseAttributes } from './hls-attributes.ts';

export type PushedSegment = Readonly<{
  /** As the playlist says it. */
  uri: string;
  /** The last component of its path, decoded: the name that the encoder uploads the segment under. */
  name: string;
  durationSeconds: number;
  programDateTimeMs?: number;
  discontinuity: boolean;
  gap: boolean;
  mapUri?: string;
}>;

export type PushedMediaPlaylist = Readonly<{
  type: 'media';
  targetDurationSeconds: number;
  mediaSequence: number;
  ended: boolean;
  segments: readonly PushedSegment[];
}>;

export type PushedPlaylist = PushedMediaPlaylist | Readonly<{ type: 'multivariant' }>;

/** What stands before a segment's URI and holds for that segment alone. */
type Pending = {
  durationSeconds?: number;
  programDateTimeMs?: number | undefined;
  discontinuity: boolean;
  gap: boolean;
};

/**
 * Encoders take liberties that do no harm: byte order marks, CRLF, unknown tags, the tags of a
 * segment in any order.
 * Throws `bad_request`, naming the line, for text that is no playlist.
 */
export function parsePushedPlaylist(text: string): PushedPlaylist {
  const lines = text.split('\n');
  // trim() takes carriage returns and the byte order mark, too.
  if (lines[0]?.trim() !== '#EXTM3U') throw notAPlaylist(lines, 0, 'it must be #EXTM3U');
  const segments: PushedSegment[] = [];
  let multivariant = false;
  let targetDurationSeconds: number | undefined;
  let mediaSequence = 0;
  let ended = false;
  let mapUri: string | undefined;
  let pending: Pending = { discontinuity: false, gap: false };

  for (const [index, rawLine] of lines.entries()) {
    const need = <T>(value: T | undefined, reason: string): T => {
      if (value === undefined) throw notAPlaylist(lines, index, reason);
      return value;
    };
    const line = rawLine.trim();
    const colon = line.startsWith('#') ? line.indexOf(':') : -1;
    const tag = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1);
    switch (tag) {
      case '#EXT-X-STREAM-INF':
      case '#EXT-X-I-FRAME-STREAM-INF':
      case '#EXT-X-MEDIA':
        multivariant = true;
        break;
      case '#EXT-X-TARGETDURATION':
        targetDurationSeconds = need(leadingDecimal(value), 'it must say whole seconds');
        break;
      case '#EXT-X-MEDIA-SEQUENCE':
        mediaSequence = need(wholeNumber(value), 'it must say a whole number');
        break;
      case '#EXT-X-MAP':
        mapUri = need(parseAttributes(value).get('URI'), 'it must have a URI attribute');
        break;
      case '#EXTINF':
        pending.durationSeconds = need(leadingDecimal(value), 'it must say a duration in seconds');
        break;
      case '#EXT-X-PROGRAM-DATE-TIME':
        pending.programDateTimeMs = parseDateTime(value);
        break;
      case '#EXT-X-DISCONTINUITY':
        pending.discontinuity = true;
        break;
      case '#EXT-X-GAP':
        pending.gap = true;
        break;
      case '#EXT-X-ENDLIST':
        ended = true;
        break;
      default: {
        if (line === '' || line.startsWith('#') || multivariant) break;
        const { programDateTimeMs, discontinuity, gap } = pending;
        const durationSeconds = need(pending.durationSeconds, 'a segment needs #EXTINF before it');
        segments.push({
          ...{ uri: line, name: nameOfUri(line), durationSeconds, discontinuity, gap },
          ...(programDateTimeMs !== undefined && { programDateTimeMs }),
          ...(mapUri !== undefined && { mapUri }),
        });
        pending = { discontinuity: false, gap: false };
      }
    }
    if (multivariant && (targetDurationSeconds !== undefined || segments.length > 0)) {
      throw notAPlaylist(lines, index, 'variants and segments do not go into one playlist');
    }
  }
  if (multivariant) return { type: 'multivariant' };
  if (targetDurationSeconds === undefined) {
    throw notAPlaylist(lines, lines.length - 1, 'the playlist ends without #EXT-X-TARGETDURATION');
  }
  return { type: 'media', targetDurationSeconds, mediaSequence, ended, segments };
}

/**
 * The number by which the name of an encoder's file counts segments: `live-00012.m4s` is 12.
 * It is the last run of digits before the extension; one with a unit behind it (`720p`, `48k`)
 * only if there is no other. undefined if there is none, or none that a number can hold.
 */
export function segmentNumberOfName(name: string): number | undefined {
  const stem = name.replace(/\.(?=[^.]*[A-Za-z])[A-Za-z0-9]+$/, '');
  const runs = [...stem.matchAll(/\d+/g)];
  const hasUnit = (run: RegExpExecArray): boolean =>
    /[A-Za-z]/.test(stem.charAt(run.index + run[0].length));
  const count = runs.findLast((run) => !hasUnit(run)) ?? runs.at(-1);
  return count && wholeNumber(count[0]);
}

function wholeNumber(text: string): number | undefined {
  const digits = text.trim();
  return /^\d+$/.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : undefined;
}

/** Of `4.004,title`: 4.004. */
function leadingDecimal(text: string): number | undefined {
  const number = Number(text.match(/^\s*(\d+\.?\d*|\.\d+)/)?.[1] ?? Number.NaN);
  return Number.isFinite(number) ? number : undefined;
}

/** ISO 8601; also as ffmpeg writes the zone (`+0000`), and without one, as if it were UTC. */
function parseDateTime(text: string): number | undefined {
  const match = text
    .trim()
    .match(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|([+-]\d\d)(?::?(\d\d))?)?$/);
  const [, dateTime, zoneHours = '+00', zoneMinutes = '00'] = match ?? [];
  const ms = Date.parse(`${dateTime}${zoneHours}:${zoneMinutes}`);
  return Number.isNaN(ms) ? undefined : ms;
}

function nameOfUri(uri: string): string {
  const path = uri.split(/[?#]/, 1)[0] ?? '';
  const name = path.slice(path.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const MAX_QUOTED_CHARS = 80;

function notAPlaylist(lines: readonly string[], index: number, reason: string): DomainError {
  const line = (lines[index] ?? '').slice(0, MAX_QUOTED_CHARS);
  return new DomainError(
    'bad_request',
    `Line ${index + 1} of the playlist is ${JSON.stringify(line)}: ${reason}.`,
    'Send the HLS playlist as the encoder wrote it, UTF-8 text from #EXTM3U to its last line.',
  );
}
