/** `/viewstream/metadata` and `/viewstream/thumbnails`: playlists, the stream's state, the index of thumbnails. No key is needed, and a CDN may cache the answers. */

import { DomainError } from '../../lib/domain/errors.ts';
import { parseVideoId } from '../../lib/domain/ids.ts';
import { COUNTRY_HEADER, parseCountry } from '../../lib/domain/languages/region-default.ts';
import { DASH_MANIFEST, HLS_PLAYLIST, WEB_VTT } from '../../lib/domain/media-format.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { type Document, gzipTag } from '../../lib/pipeline/view/document.ts';
import { PlaylistMoved } from '../../lib/pipeline/view/recording-address.ts';
import { createViewer, type Viewer } from '../../lib/pipeline/view/viewer.ts';
import { apiHandler, type HttpEvent, type HttpResult, json } from '../runtime/middleware.ts';
import { parsePlaylistName } from './playlist-name.ts';

export const viewMetadataHandler = (deps: Deps, viewer: Viewer = createViewer(deps)) =>
  apiHandler(async (event) => {
    // Programs recognise HLS and DASH by the ending of their addresses.
    const [, name, ending] = event.pathParameters?.videoId?.match(/^(.*?)(\.m3u8|\.mpd)?$/) ?? [];
    const videoId = parseVideoId(name);
    const query = event.queryStringParameters ?? {};
    const country = parseCountry(event.headers[COUNTRY_HEADER]);
    const headers = { vary: `accept, accept-encoding, ${COUNTRY_HEADER}` };
    switch (ending ? FORMATS_BY_ENDING[ending] : (query.format ?? acceptedFormat(event))) {
      case 'json': {
        const state = await viewer.state(videoId);
        return json(200, state, { 'cache-control': 'public, max-age=1', vary: 'accept' });
      }
      case 'dash': {
        const view = query.view === 'vod' ? 'vod' : undefined;
        const broadcast = query.broadcast === undefined ? undefined : Number(query.broadcast);
        const kept = Number(query.kept ?? 0);
        return unlessMoved(`${videoId}.mpd`, async () => {
          const viewed = await viewer.dash(videoId, view, broadcast, country, kept);
          return playlist(event, viewed.document, viewed.maxAgeSeconds, {
            'content-type': DASH_MANIFEST.contentType,
            ...headers,
          });
        });
      }
      case 'hls': {
        const { document, maxAgeSeconds } = await viewer.multivariant(videoId, country);
        return playlist(event, document, maxAgeSeconds, headers);
      }
      default:
        throw new DomainError(
          'unsupported_format',
          `There is no "${query.format}" presentation of a stream.`,
          'Ask for format=hls, format=dash or format=json, or leave format out.',
        );
    }
  });

const FORMATS_BY_ENDING: Readonly<Record<string, 'hls' | 'dash'>> = {
  [`.${HLS_PLAYLIST.extension}`]: 'hls',
  [`.${DASH_MANIFEST.extension}`]: 'dash',
};

/** What a client names first that is no playlist, else HLS. */
function acceptedFormat({ headers }: HttpEvent): 'json' | 'dash' | 'hls' {
  const first = headers.accept?.match(/^\s*application\/(json|dash\+xml)\b/i)?.[1]?.toLowerCase();
  return first === 'json' ? 'json' : first ? 'dash' : 'hls';
}

export const viewPlaylistHandler = (deps: Deps, viewer: Viewer = createViewer(deps)) =>
  apiHandler(async (event) => {
    const videoId = parseVideoId(event.pathParameters?.videoId);
    const name = parsePlaylistName(event.pathParameters?.playlist);
    const view = event.queryStringParameters?.view === 'vod' ? 'vod' : 'live';
    const broadcast = Number(event.queryStringParameters?.broadcast ?? 1);
    const kept = Number(event.queryStringParameters?.kept ?? 0);
    return unlessMoved(`${name}.m3u8`, async () => {
      const viewed = await viewer.media(videoId, name, view, broadcast, kept);
      return playlist(event, viewed.document, viewed.maxAgeSeconds, { vary: 'accept-encoding' });
    });
  });

/** The index of a stream's preview thumbnails, for players. */
export const viewThumbnailsHandler = (deps: Deps, viewer: Viewer = createViewer(deps)) =>
  apiHandler(async (event) => {
    const name = event.pathParameters?.videoId;
    const videoId = parseVideoId(name?.endsWith('.vtt') ? name.slice(0, -'.vtt'.length) : name);
    const { document, maxAgeSeconds } = await viewer.thumbnails(videoId);
    const headers = { 'content-type': WEB_VTT.contentType, vary: 'accept-encoding' };
    return playlist(event, document, maxAgeSeconds, headers);
  });

const MOVED_MAX_AGE_SECONDS = 10;

/** `address`: without the query. */
async function unlessMoved(
  address: string,
  answer: () => Promise<HttpResult>,
): Promise<HttpResult> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof PlaylistMoved)) throw error;
    const location = `${address}${error.query}`;
    const headers = { location, 'cache-control': `public, max-age=${MOVED_MAX_AGE_SECONDS}` };
    return { statusCode: 307, headers };
  }
}

/** What fits into the 6 MB of a function's answer, in which JSON escapes line ends, and Base64 adds a third. */
const MAX_PLAIN_CHARACTERS = 5_500_000;
const MAX_GZIP_BYTES = 4_400_000;

/** A playlist as the client accepts it: plain or compressed, or where it is stored. */
export async function playlist(
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
  const caching = {
    'content-type': HLS_PLAYLIST.contentType,
    'cache-control': `public, max-age=${maxAgeSeconds}`,
    ...headers,
  };
  if (!fits && store) {
    const location = await store();
    return { statusCode: 307, headers: { ...caching, location } };
  }
  if (!fits) throw tooLong(document, isCompressed);
  const { text } = isCompressed ? { text: '' } : document;
  const tag = isCompressed ? gzipTag(etag) : etag;
  const common = { etag: tag, ...caching };
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
