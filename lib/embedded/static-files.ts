/** Static files over HTTP, without a Lambda function: stored media, and the web pages. */

import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '../domain/errors.ts';
import { savedAs, savedNameOf } from '../ports/saved-objects.ts';
import { parseByteRange } from './byte-range.ts';
import { contentTypeOf } from './content-type.ts';
import { crossOriginHeaders } from './cross-origin.ts';
import { errorCode } from './error-code.ts';
import type { Mount } from './gateway.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { ObjectOpener, OpenObject } from './open-object.ts';

type Headers = Readonly<Record<string, string>>;

const GET_METHODS = ['GET', 'HEAD'];
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** A CDN in front must not remember for long that something was not there yet. */
const MISSING_CACHE_CONTROL = 'public, max-age=1';

/** Only pages of this origin may frame a page where a key is typed; a page's own policy cannot say so. */
const FRAMED_BY_US = "frame-ancestors 'self'";

/** `GET /media/…`: the objects whose keys begin with `media/`. */
export const mediaFiles = (store: ObjectOpener): Mount => ({
  prefix: '/media/',
  methods: GET_METHODS,
  serve: async (exchange) => {
    const key = decodeURIComponent(exchange.path.slice(1));
    const object = await store.openObject(key);
    if (!object) return answerMissing(exchange);
    const name = savedNameOf(key);
    await sendAndClose(exchange, object, {
      'cache-control': IMMUTABLE,
      ...(name !== undefined && { 'content-disposition': savedAs(name) }),
    });
  },
});

/** `GET /…`: the files of a folder; `/` stands for `index.html`, `/studio` for `studio.html`. */
export const webPages = (folder: string, contentSecurityPolicy: string): Mount => ({
  prefix: '/',
  methods: GET_METHODS,
  serve: async (exchange) => {
    const parts = decodeURIComponent(exchange.path).split('/').slice(1);
    // Neither `..` nor hidden files; an empty part can only be the last one.
    const plain = parts.every((part, index) =>
      part === '' ? index === parts.length - 1 : /^[^.\\\0/][^\\\0/]*$/.test(part),
    );
    if (!plain) return answerMissing(exchange);
    const name = parts.at(-1) === '' ? [...parts.slice(0, -1), 'index.html'] : parts;
    const named = join(folder, ...name);
    const isPage = !/\.[^/]*$/.test(named) && (await kindOf(`${named}.html`)) === 'file';
    const path = isPage ? `${named}.html` : named;
    const kind = await kindOf(path);
    if (kind === 'folder') return redirect(exchange, `${exchange.path}/`);
    if (kind === 'none') return answerMissing(exchange);
    const isHashed = /[-.][A-Z0-9]{8}\.\w+$/.test(path);
    await sendAndClose(exchange, await openPage(path), {
      'cache-control': isHashed ? IMMUTABLE : 'no-cache',
      'content-security-policy': `${contentSecurityPolicy}; ${FRAMED_BY_US}`,
      'referrer-policy': 'same-origin',
    });
  },
});

/** Whatever becomes of the client. */
async function sendAndClose(
  exchange: HttpExchange,
  file: OpenObject,
  extra: Headers,
): Promise<void> {
  try {
    if (!exchange.isCut) await sendFile(exchange, file, extra);
  } finally {
    await file.close();
  }
}

async function sendFile(exchange: HttpExchange, file: OpenObject, extra: Headers): Promise<void> {
  const { request, response, method } = exchange;
  const { sizeBytes, contentType, modifiedMs } = file;
  const etag = `"${sizeBytes.toString(36)}-${Math.floor(modifiedMs ?? 0).toString(36)}"`;
  const headers = {
    ...crossOriginHeaders(),
    'accept-ranges': 'bytes',
    'content-type': contentType,
    etag,
    ...(modifiedMs !== undefined && { 'last-modified': new Date(modifiedMs).toUTCString() }),
    'x-content-type-options': 'nosniff',
    ...extra,
  };
  const { range: asked, 'if-none-match': known, 'if-range': ifRange } = request.headers;
  const wanted = ifRange === undefined || ifRange === etag ? asked : undefined;
  const range = method === 'GET' ? parseByteRange(wanted, sizeBytes) : 'whole';
  if (known !== undefined && listsTag(known, etag)) {
    response.writeHead(304, headers);
  } else if (range === 'unsatisfiable') {
    const unsatisfied = { 'content-range': `bytes */${sizeBytes}`, 'content-length': 0 };
    response.writeHead(416, { ...headers, ...unsatisfied, 'cache-control': 'no-store' });
  } else if (method === 'HEAD' || sizeBytes === 0) {
    response.writeHead(200, { ...headers, 'content-length': sizeBytes });
  } else {
    return await sendBytes(exchange, file, headers, range);
  }
  response.end();
}

async function sendBytes(
  exchange: HttpExchange,
  file: OpenObject,
  headers: Headers,
  range: Exclude<ReturnType<typeof parseByteRange>, 'unsatisfiable'>,
): Promise<void> {
  const { response } = exchange;
  const whole = { start: 0, endInclusive: file.sizeBytes - 1 };
  const { start, endInclusive } = range === 'whole' ? whole : range;
  response.writeHead(range === 'whole' ? 200 : 206, {
    ...headers,
    'content-length': endInclusive - start + 1,
    ...(range !== 'whole' && {
      'content-range': `bytes ${start}-${endInclusive}/${file.sizeBytes}`,
    }),
  });
  const bytes = file.stream({ start, endInclusive });
  try {
    await pipeline(bytes, response);
  } catch (error) {
    // Viewers who seek or leave cut their connections all the time.
    if (!exchange.isCut) throw error;
  } finally {
    // pipeline() leaves it open if the connection was closed before it began.
    bytes.destroy();
  }
}

const listsTag = (header: string, etag: string): boolean =>
  header.trim() === '*' ||
  header.split(',').some((listed) => listed.trim().replace(/^W\//, '') === etag);

const answerMissing = (exchange: HttpExchange): void =>
  exchange.answerError(
    new DomainError(
      'not_found',
      `There is nothing at ${exchange.path}.`,
      'Take paths of media from a playlist; a stream that was deleted has none any more.',
    ),
    { 'cache-control': MISSING_CACHE_CONTROL },
  );

const redirect = (exchange: HttpExchange, path: string): void =>
  exchange.answer({
    status: 308,
    // More than one slash in front would name another host.
    headers: { location: path.replace(/^\/+/, '/') },
    cookies: [],
    body: Buffer.alloc(0),
  });

async function kindOf(path: string): Promise<'file' | 'folder' | 'none'> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'none';
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(errorCode(error))) throw error;
    return 'none';
  }
}

async function openPage(path: string): Promise<OpenObject> {
  const file = await open(path, 'r');
  const { size, mtimeMs } = await file.stat().catch(async (error) => {
    await file.close();
    throw error;
  });
  return {
    sizeBytes: size,
    contentType: contentTypeOf(path),
    modifiedMs: mtimeMs,
    stream: (range) =>
      file.createReadStream(range && { start: range.start, end: range.endInclusive }),
    close: () => file.close(),
  };
}
