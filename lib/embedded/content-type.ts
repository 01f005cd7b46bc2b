/** Content types by file name: of media and posters, and of what the pages are made of. */

import { extensionOf, mediaTypeOf } from '../domain/media-format.ts';
import { JPEG_CONTENT_TYPE } from '../domain/pictures/poster.ts';

const PAGE_TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  jpg: JPEG_CONTENT_TYPE,
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  webmanifest: 'application/manifest+json',
};

/** `application/octet-stream` for a name whose extension is unknown. */
export const contentTypeOf = (fileName: string): string =>
  mediaTypeOf(fileName) ?? PAGE_TYPES[extensionOf(fileName)] ?? 'application/octet-stream';
