/** Which object keys there are, and the content type that a key's ending stands for. */

const PART = /^[A-Za-z0-9._-]{1,200}$/;
const MAX_KEY_LENGTH = 1024;

/** Keys become paths, so nothing but plain parts may pass: no `.`, no `..`, no empty part. */
export const isObjectKey = (key: string): boolean =>
  key.length <= MAX_KEY_LENGTH &&
  key.split('/').every((part) => PART.test(part) && part !== '.' && part !== '..');

export function checkObjectKey(key: string): string {
  if (!isObjectKey(key)) throw new RangeError(`Not an object key: ${JSON.stringify(key)}`);
  return key;
}

export const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  aac: 'audio/aac',
  css: 'text/css; charset=utf-8',
  gif: 'image/gif',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  m3u8: 'application/vnd.apple.mpegurl',
  m4a: 'audio/mp4',
  m4s: 'video/iso.segment',
  map: 'application/json',
  mov: 'video/quicktime',
  mp4: 'video/mp4',
  mpd: 'application/dash+xml',
  png: 'image/png',
  svg: 'image/svg+xml',
  ts: 'video/mp2t',
  txt: 'text/plain; charset=utf-8',
  vtt: 'text/vtt',
  webm: 'video/webm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff2: 'font/woff2',
};

/** By the name's ending; `application/octet-stream` for one that says nothing. */
export function contentTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return CONTENT_TYPES[ending] ?? DEFAULT_CONTENT_TYPE;
}
