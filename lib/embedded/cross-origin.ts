/** CORS as an HTTP API with a CORS configuration answers it: players and pages may live anywhere. */

import type { IncomingMessage, ServerResponse } from 'node:http';

const METHODS = 'GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS';
const REQUEST_HEADERS: ReadonlySet<string> = new Set(['authorization', 'content-type', 'range']);
/** Players send these when they are told to. */
const PLAYER_HEADERS =
  /^(cmcd-|x-playback-|cache-control$|pragma$|if-(none-match|modified-since|range)$)/;
const EXPOSED_HEADERS = ['age', 'date', 'content-length', 'content-range', 'etag'];
const OWN_PREFIX = 'rivulet-';
const PREFLIGHT_SECONDS = 7200;

export function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  // CORS knows no names like `rivulet-*`, so the allowed ones among those asked for are repeated.
  const asked = (request.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name.startsWith(OWN_PREFIX) || PLAYER_HEADERS.test(name));
  response.writeHead(204, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': [...new Set([...REQUEST_HEADERS, ...asked])].join(','),
    'access-control-max-age': String(PREFLIGHT_SECONDS),
    'cache-control': `max-age=${PREFLIGHT_SECONDS}`,
    vary: 'access-control-request-headers',
  });
  response.end();
}

/** Headers that let pages of any origin read an answer that has the headers `names`. */
export const crossOriginHeaders = (names: Iterable<string> = []): Record<string, string> => {
  const own = [...names].filter((name) => name.startsWith(OWN_PREFIX));
  return {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': [...EXPOSED_HEADERS, ...own].join(','),
  };
};
