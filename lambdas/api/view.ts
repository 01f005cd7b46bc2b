/** `/viewstream/metadata`: playlists and the stream's state. No key is needed, and a CDN may cache the answers. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { HLS_PLAYLIST } from '../../lib/domain/media-format.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { type Document, gzipTag } from '../../lib/pipeline/view/document.ts';
import { createViewer, PlaylistMoved, type Viewer } from '../../lib/pipeline/view/viewer.ts';
import { apiHandler, type HttpEvent, type HttpResult, json } from '../runtime/middleware.ts';

export const viewMetadataHandler = (deps: Deps, viewer: Viewer = createViewer(deps)) =>
  apiHandler(async (event) => {
    // Programs recognise HLS by the ending of its address.
    const [, name, isPlaylist] = event.pathParameters?.videoId?.match(/^(.*?)(\.m3u8)?$/) ?? [];
    const videoId = parseVideoId(name);
    const format = event.queryStringParameters?.format;
    if (!isPlaylist && wantsJson(event, format)) {
      const state = await viewer.state(videoId);
      return json(200, state, { 'cache-control': 'public, max-age=1', vary: 'accept' });
    }
    if (format !== undefined && format !== 'hls') {
      throw new DomainError(
        'unsupported_format',
        `There is no "${format}" presentation of a stream.`,
        'Ask for format=hls or format=json, or leave format out.',
      );
    }
    const { document, maxAgeSeconds } = await viewer.multivariant(videoId);
    return playlist(event, document, maxAgeSeconds, { vary: 'accept, accept-encoding' });
  });

const wantsJson = (event: HttpEvent, format: string | undefined): boolean =>
  format === 'json' ||
  (format === undefined && /^\s*application\/json\b/i.test(event.headers.accept ?? ''));

export const viewPlaylistHandler = (deps: Deps, viewer: Viewer = createViewer(deps)) =>
  apiHandler(async (event) => {
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const rendition = event.pathParameters?.playlist?.match(/^([a-z0-9-]{1,32})\.m3u8$/)?.[1];
    if (rendition === undefined) {
      throw new DomainError(
        'rendition_not_found',
        `"${event.pathParameters?.playlist}" is not a playlist's name.`,
        'Use the URIs of the multivariant playlist, as in 720p.m3u8.',
      );
    }
    const view = event.queryStringParameters?.view === 'vod' ? 'vod' : 'live';
    const broadcast = Number(event.queryStringParameters?.broadcast ?? 1);
    const kept = Number(event.queryStringParameters?.kept ?? 0);
    try {
      const viewed = await viewer.media(videoId, rendition, view, broadcast, kept);
      const { document, maxAgeSeconds } = viewed;
      return await playlist(event, document, maxAgeSeconds, { vary: 'accept-encoding' });
    } catch (error) {
      if (!(error instanceof PlaylistMoved)) throw error;
      const { location } = error;
      const headers = { location, 'cache-control': `public, max-age=${MOVED_MAX_AGE_SECONDS}` };
      return { statusCode: 307, headers };
    }
  });

const MOVED_MAX_AGE_SECONDS = 10;

/** What fits into the 6 MB of a function's answer, in which JSON escapes line ends, and Base64 adds a third. */
const MAX_PLAIN_CHARACTERS = 5_500_000;
const MAX_GZIP_BYTES = 4_400_000;

async function playlist(
  event: HttpEvent,
  document: Document,
  maxAgeSeconds: number,
  headers: Readonly<Record<string, string>>,
): Promise<HttpResult> {
  const { gzip, etag, store } = document;
  const accepted = event.headers['accept-encoding'];
  const plainFits = !store && document.text.length <= MAX_PLAIN_CHARACTERS;
  // A client that says nothing takes any coding (RFC 9110, 12.5.3), and ffmpeg does.
  const isCompressed = acceptsGzip(accepted) || (accepted === undefined && !store && !plainFits);
  const fits = isCompressed ? gzip.byteLength <= MAX_GZIP_BYTES : plainFits;
  const caching = { 'cache-control': `public, max-age=${maxAgeSeconds}`, ...headers };
  if (!fits && store) {
    const location = await store();
    return { statusCode: 307, headers: { ...caching, location } };
  }
  if (!fits) throw tooLong(document, isCompressed);
  const { text } = isCompressed ? { text: '' } : document;
  const tag = isCompressed ? gzipTag(etag) : etag;
  const common = { 'content-type': HLS_PLAYLIST.contentType, etag: tag, ...caching };
  if (matchesTag(event.headers['if-none-match'], tag)) return { statusCode: 304, headers: common };
  if (!isCompressed) return { statusCode: 200, headers: common, body: text };
  return {
    statusCode: 200,
    headers: { ...common, 'content-encoding': 'gzip' },
    body: Buffer.from(gzip).toString('base64'),
    isBase64Encoded: true,
  };
}

const tooLong = ({ text, gzip }: Document, isCompressed: boolean): DomainError =>
  new DomainError(
    'not_acceptable',
    `The playlist has ${isCompressed ? gzip.byteLength : text.length} bytes, more than an answer holds.`,
    isCompressed
      ? 'Set dvrWindowSeconds of the stream, or wait for its end: the recording can be had whole.'
      : 'Ask for it compressed (Accept-Encoding: gzip), or set dvrWindowSeconds of the stream.',
  );

/** By RFC 9110, 12.5.3: named, or any, and not with a weight of 0. */
export function acceptsGzip(header = ''): boolean {
  const weights = new Map(
    header.split(',').map((item) => {
      const [coding = '', ...parameters] = item.toLowerCase().split(';');
      const weight = parameters.map((one) => one.trim().match(/^q=([\d.]+)$/)?.[1]).find(Boolean);
      return [coding.trim(), Number(weight ?? 1)];
    }),
  );
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}

/** If-None-Match compares weakly (RFC 9110, 13.1.2). */
export const matchesTag = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' ||
    header.split(',').some((item) => item.trim().replace(/^W\//, '') === etag));
