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
  /** The segment is a part of its file. */
  isRange?: true;
}>;

export type PushedMediaPlaylist = Readonly<{
  type: 'media';
  targetDurationSeconds: number;
  mediaSequence: number;
  ended: boolean;
  segments: readonly PushedSegment[];
  /** Lists keyframes of segments that another playlist lists whole (RFC 8216bis, 4.4.3.6). */
  iFramesOnly?: true;
  /** METHOD of the key of the newest segment (4.4.4.4); absent if that is not encrypted. */
  encryption?: string;
  /** URIs of files that hold parts of the newest segments (4.4.4.9), the last few. */
  parts?: readonly string[];
}>;

export type PushedVariant = Readonly<{
  /** As the playlist says it. */
  uri: string;
  /** Bits per second. */
  bandwidth: number;
}>;

export type PushedMultivariantPlaylist = Readonly<{
  type: 'multivariant';
  variants: readonly PushedVariant[];
}>;

export type PushedPlaylist = PushedMediaPlaylist | PushedMultivariantPlaylist;

/** A week of segments of two seconds is 12 MB: more than a request body holds. */
export const MAX_PLAYLIST_BYTES = 4 * 1024 * 1024;
const MAX_LINES = 400_000;
/** Of a URI. Longer lines of other kinds are passed over. */
const MAX_LINE_CHARS = 4096;
const MAX_VARIANTS = 64;
const KEPT_PARTS = 16;

/** What stands before a segment's URI and holds for that segment alone. */
type Pending = {
  durationSeconds?: number;
  programDateTimeMs?: number | undefined;
  discontinuity: boolean;
  gap: boolean;
  isRange?: true;
};

/**
 * Encoders take liberties that do no harm: byte order marks, CRLF, unknown tags, the tags of a
 * segment in any order.
 * Throws `bad_request`, naming the line, for text that is no playlist, and `too_large`.
 */
export function parsePushedPlaylist(text: string): PushedPlaylist {
  if (text.length > MAX_PLAYLIST_BYTES) throw tooLarge(`${text.length} characters`);
  const lines = text.split(/\r\n|\n|\r/, MAX_LINES + 1);
  if (lines.length > MAX_LINES) throw tooLarge(`more than ${MAX_LINES} lines`);
  // trim() takes carriage returns and the byte order mark, too.
  if (lines[0]?.trim() !== '#EXTM3U') throw notAPlaylist(lines, 0, 'it must be #EXTM3U');
  const segments: PushedSegment[] = [];
  const variants: PushedVariant[] = [];
  let bandwidth: number | undefined;
  let multivariant = false;
  let iFramesOnly = false;
  let targetDurationSeconds: number | undefined;
  let mediaSequence = 0;
  let ended = false;
  let mapUri: string | undefined;
  let encryption: string | undefined;
  const parts: string[] = [];
  let pending: Pending = { discontinuity: false, gap: false };

  for (const [index, rawLine] of lines.entries()) {
    const need = <T>(value: T | undefined, reason: string): T => {
      if (value === undefined) throw notAPlaylist(lines, index, reason);
      return value;
    };
    const isLong = rawLine.length > MAX_LINE_CHARS;
    if (isLong && !rawLine.startsWith('#')) need(undefined, `it has ${rawLine.length} characters`);
    const line = isLong ? '' : rawLine.trim();
    const colon = line.startsWith('#') ? line.indexOf(':') : -1;
    const tag = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1);
    switch (tag) {
      case '#EXT-X-STREAM-INF':
        multivariant = true;
        bandwidth = wholeNumber(parseAttributes(value).get('BANDWIDTH') ?? '') ?? 0;
        break;
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
      case '#EXT-X-KEY': {
        const method = parseAttributes(value).get('METHOD') ?? '';
        encryption = method === 'NONE' ? undefined : method;
        break;
      }
      case '#EXT-X-PART': {
        const attributes = parseAttributes(value);
        const uri = attributes.get('URI');
        // A range of the segment's own file is no other file.
        if (uri !== undefined && !attributes.has('BYTERANGE')) parts.push(uri);
        if (parts.length > KEPT_PARTS) parts.shift();
        break;
      }
      case '#EXT-X-BYTERANGE':
        pending.isRange = true;
        break;
      case '#EXT-X-I-FRAMES-ONLY':
        iFramesOnly = true;
        break;
      case '#EXT-X-ENDLIST':
        ended = true;
        break;
      default: {
        if (line === '' || line.startsWith('#')) break;
        if (multivariant) {
          if (bandwidth !== undefined && variants.length < MAX_VARIANTS) {
            variants.push({ uri: line, bandwidth });
          }
          bandwidth = undefined;
          break;
        }
        const { programDateTimeMs, discontinuity, gap, isRange } = pending;
        const durationSeconds = need(pending.durationSeconds, 'a segment needs #EXTINF before it');
        segments.push({
          ...{ uri: line, name: nameOfUri(line), durationSeconds, discontinuity, gap },
          ...(programDateTimeMs !== undefined && { programDateTimeMs }),
          ...(mapUri !== undefined && { mapUri }),
          ...(isRange && { isRange }),
        });
        pending = { discontinuity: false, gap: false };
      }
    }
    if (multivariant && (targetDurationSeconds !== undefined || segments.length > 0)) {
      throw notAPlaylist(lines, index, 'variants and segments do not go into one playlist');
    }
  }
  if (multivariant) return { type: 'multivariant', variants };
  if (targetDurationSeconds === undefined) {
    throw notAPlaylist(lines, lines.length - 1, 'the playlist ends without #EXT-X-TARGETDURATION');
  }
  return {
    ...{ type: 'media', targetDurationSeconds, mediaSequence, ended, segments },
    ...(iFramesOnly && { iFramesOnly }),
    ...(encryption !== undefined && { encryption }),
    ...(parts.length > 0 && { parts }),
  };
}

/** A file that a media playlist lists, in one segment or in several byte ranges. */
export type ListedFile = Readonly<{
  /** The name that it is pushed under. */
  name: string;
  /** By the playlist: EXT-X-MEDIA-SEQUENCE and the place; of files in ranges the place among files. */
  position: number;
  seconds: number;
  programDateTimeMs?: number;
  gap: boolean;
}>;

/** The files of a playlist in order, each once: of a name that comes twice the last line counts. */
export function listedFiles(playlist: PushedMediaPlaylist, playlistName: string): ListedFile[] {
  const files = new Map<string, ListedFile>();
  for (const segment of playlist.segments) {
    const { durationSeconds, programDateTimeMs, gap, isRange } = segment;
    const name = pushedName(segment.uri, playlistName);
    const before = isRange ? files.get(name) : undefined;
    if (!before) files.delete(name);
    files.set(name, {
      ...{ name, position: 0, gap },
      seconds: (before?.seconds ?? 0) + durationSeconds,
      ...(programDateTimeMs !== undefined && { programDateTimeMs }),
      ...(before?.programDateTimeMs !== undefined && {
        programDateTimeMs: before.programDateTimeMs,
      }),
    });
  }
  const first = Number.isSafeInteger(playlist.mediaSequence + files.size)
    ? playlist.mediaSequence
    : 0;
  return [...files.values()].map((file, index) => ({ ...file, position: first + index }));
}

/**
 * The name that a file is pushed under by its URI in a playlist: a relative one belongs to the
 * playlist's folder; of a whole address, whose folders are those of another host, the last name.
 */
export function pushedName(uri: string, playlistName: string): string {
  const path = uri.split(/[?#]/, 1)[0] ?? '';
  const folder = playlistName.split('/').slice(0, -1);
  const isRelative = !path.startsWith('/') && !/^[a-z][a-z0-9+.-]*:/i.test(path);
  if (!isRelative) return [...folder, nameOfUri(uri)].join('/');
  const parts = folder;
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(decoded(part));
  }
  return parts.join('/');
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
    .match(/^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:[.,]\d+)?)(?:[Zz]|([+-]\d\d)(?::?(\d\d))?)?$/);
  const [, date, time = '', zoneHours = '+00', zoneMinutes = '00'] = match ?? [];
  const ms = Date.parse(`${date}T${time.replace(',', '.')}${zoneHours}:${zoneMinutes}`);
  return Number.isNaN(ms) ? undefined : ms;
}

function nameOfUri(uri: string): string {
  const path = uri.split(/[?#]/, 1)[0] ?? '';
  return decoded(path.slice(path.lastIndexOf('/') + 1));
}

/** As far as it can be: in `live%%200.ts` the first percent sign stands for itself, as in the request's path. */
const decoded = (name: string): string =>
  name.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });

const MAX_QUOTED_CHARS = 80;

function notAPlaylist(lines: readonly string[], index: number, reason: string): DomainError {
  const line = (lines[index] ?? '').slice(0, MAX_QUOTED_CHARS);
  return new DomainError(
    'bad_request',
    `Line ${index + 1} of the playlist is ${JSON.stringify(line)}: ${reason}.`,
    'Send the HLS playlist as the encoder wrote it, UTF-8 text from #EXTM3U to its last line.',
  );
}

const tooLarge = (size: string): DomainError =>
  new DomainError(
    'too_large',
    `The playlist has ${size}.`,
    'Let the encoder list its newest segments only (ffmpeg: -hls_list_size 10).',
  );
