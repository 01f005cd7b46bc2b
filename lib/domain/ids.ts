/** Identifiers that come from outside: what they may be, checked once at the edge. */

import { DomainError } from './errors.ts';

const VIDEO_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Would shadow a route: `/viewstream/metadata/…`, `/viewstream/captions/…`, `/viewstream/thumbnails/…`. */
const RESERVED_IDS: ReadonlySet<string> = new Set(['metadata', 'captions', 'thumbnails']);

export function parseVideoId(text: string | undefined): string {
  if (text === undefined || !VIDEO_ID.test(text) || RESERVED_IDS.has(text)) {
    throw new DomainError(
      'bad_video_id',
      `"${text ?? ''}" cannot name a stream.`,
      'Use 1 to 64 letters, digits, "-" or "_", beginning with a letter or digit ("metadata", "captions" and "thumbnails" are taken).',
    );
  }
  return text;
}

/** A source segment's number: a whole number from 0 up, given as decimal digits. */
export function parseSegmentNumber(text: string | undefined): number {
  const number = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw new DomainError(
      'bad_segment_number',
      text === undefined ? 'The segment number is missing.' : `"${text}" is not a segment number.`,
      'Send ?segment=N, where N is 0 for the first segment and grows by one with each.',
    );
  }
  return number;
}

const optional =
  (pattern: RegExp, complaint: string, hint: string) =>
  (text: string | undefined): string | undefined => {
    if (text === undefined || pattern.test(text)) return text;
    throw new DomainError('bad_request', `"${text}" ${complaint}.`, hint);
  };

export const parseSession = optional(
  /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/,
  'cannot name a session',
  'Use 1 to 128 letters, digits, ".", "_", ":" or "-"; a new one for each run of the encoder.',
);

export const parseLanguage = optional(
  /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/,
  'is not a language',
  'Use a BCP 47 tag: en, pt-BR.',
);

/** Hex sha-256, bare or behind `sha256:` or `sha-256=`. */
export function parseDigest(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const hex = text.toLowerCase().replace(/^sha-?256[:=]/, '');
  if (SHA256.test(hex)) return hex;
  throw new DomainError(
    'bad_request',
    `"${text}" is not a digest.`,
    'Send the sha-256 of the bytes as 64 hexadecimal digits.',
  );
}
