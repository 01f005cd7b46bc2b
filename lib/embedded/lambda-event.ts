/** HTTP requests as events of API Gateway HTTP APIs (payload format 2.0), and results as answers. */

import { isUtf8 } from 'node:buffer';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { COUNTRY_HEADER } from '../domain/languages/region-default.ts';

export type HttpCall = Readonly<{
  requestId: string;
  timeMs: number;
  method: string;
  /** As sent, still percent-encoded. */
  path: string;
  queryString: string;
  protocol: string;
  /** Names and values in turn, as sent. */
  rawHeaders: readonly string[];
  remoteAddress: string;
  routeKey: string;
  pathParameters: Readonly<Record<string, string>>;
  body: Buffer;
  /** In which a proxy says the country of its client. */
  countryHeader?: string;
}>;

export type HttpAnswer = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  cookies: readonly string[];
  body: Buffer;
}>;

export function toLambdaEvent(call: HttpCall): APIGatewayProxyEventV2 {
  const { headers, cookies } = eventHeaders(call.rawHeaders);
  const query = eventQuery(call.queryString);
  const host = headers.host ?? 'localhost';
  const asText = isTextual(headers) && isUtf8(call.body);
  return {
    version: '2.0',
    routeKey: call.routeKey,
    rawPath: call.path,
    rawQueryString: call.queryString,
    ...(cookies.length > 0 && { cookies }),
    headers: {
      ...withCountry(headers, call.countryHeader),
      ...forwardedHeaders(headers, call),
    },
    ...(query && { queryStringParameters: query }),
    ...(Object.keys(call.pathParameters).length > 0 && { pathParameters: call.pathParameters }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: host,
      domainPrefix: host.split('.')[0] ?? host,
      http: {
        method: call.method,
        path: call.path,
        protocol: call.protocol,
        sourceIp: call.remoteAddress,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: call.requestId,
      routeKey: call.routeKey,
      stage: '$default',
      time: new Date(call.timeMs).toISOString(),
      timeEpoch: call.timeMs,
    },
    ...(call.body.length > 0 && { body: call.body.toString(asText ? 'utf8' : 'base64') }),
    isBase64Encoded: call.body.length > 0 && !asText,
  };
}

/** Size of the event as JSON, which is what Lambda limits. */
export function eventBytes(event: APIGatewayProxyEventV2): number {
  const { body, ...rest } = event;
  const bodyBytes =
    body === undefined || event.isBase64Encoded
      ? (body?.length ?? 0)
      : Buffer.byteLength(JSON.stringify(body));
  return Buffer.byteLength(JSON.stringify(rest)) + bodyBytes;
}

/** Throws a TypeError if the result is nothing that an HTTP API could answer with. */
export function fromLambdaResult(result: unknown): HttpAnswer {
  if (!isRecord(result) || !('statusCode' in result)) {
    // Without a status the whole result is the body.
    const text = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
    const headers = { 'content-type': 'application/json' };
    return { status: 200, headers, cookies: [], body: Buffer.from(text) };
  }
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded = false } = result;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`Not a status code: ${String(statusCode)}`);
  }
  if (typeof body !== 'string') throw new TypeError('The body of a result must be a string');
  if (!isRecord(headers)) throw new TypeError('The headers of a result must be an object');
  if (!Array.isArray(cookies)) throw new TypeError('The cookies of a result must be a list');
  const lowerCased = Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  return {
    status,
    headers:
      body === '' ? lowerCased : { 'content-type': 'text/plain;charset=UTF-8', ...lowerCased },
    cookies: cookies.map(String),
    body: Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const TEXTUAL = /^(text\/.+|application\/(.+\+)?(json|xml|javascript))$/;

/** Anything else travels as base64, and so do bodies that are encoded. */
function isTextual(headers: Readonly<Record<string, string>>): boolean {
  const mediaType = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  return TEXTUAL.test(mediaType) && headers['content-encoding'] === undefined;
}

function eventHeaders(rawHeaders: readonly string[]) {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    const value = rawHeaders[index + 1] ?? '';
    if (name === 'cookie') cookies.push(...value.split(/; */));
    else headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`;
  }
  return { headers, cookies };
}

function eventQuery(queryString: string): Record<string, string> | undefined {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(queryString)) {
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  }
  return queryString === '' ? undefined : query;
}

/** As a CDN says it, which sets the header anew; what a client says of itself does not count. */
function withCountry(headers: Readonly<Record<string, string>>, from = '') {
  const { [COUNTRY_HEADER]: _, ...others } = headers;
  const country = headers[from];
  return country === undefined ? others : { ...others, [COUNTRY_HEADER]: country };
}

function forwardedHeaders(headers: Readonly<Record<string, string>>, call: HttpCall) {
  const before = headers['x-forwarded-for'];
  return {
    'x-forwarded-for': before ? `${before}, ${call.remoteAddress}` : call.remoteAddress,
    'x-forwarded-proto': headers['x-forwarded-proto'] ?? 'http',
    'x-forwarded-port': headers['x-forwarded-port'] ?? headers.host?.match(/:(\d+)$/)?.[1] ?? '80',
  };
}
