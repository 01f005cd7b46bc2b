/** A server as the studio sees it: the built pages, and an API that takes segments, with faults. */

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Receipt } from '../../lib/api/messages.ts';
import { CONTENT_SECURITY_POLICY } from '../../web/build.ts';

export const UPLOAD_KEY = 'upload-key-of-the-test';
export const OWNER_KEY = 'owner-key-of-the-test';

export type Uploaded = Readonly<{
  session: string;
  number: number;
  durationSeconds: number;
  atMs: number;
  bytes: Uint8Array;
}>;

export type StudioServer = Readonly<{
  url: string;
  /** In order of arrival; each once. */
  segments: Uploaded[];
  /** Bodies of `PUT /streams/{id}`. */
  settings: unknown[];
  /** Ids of streams that were ended. */
  ends: string[];
  /** Title of the stream; undefined: there is none. */
  stream: { title: string | undefined };
  /** `isOut`: uploads do not get through. */
  fault: { isOut: boolean; refusesKeys: boolean };
  close(): Promise<void>;
}>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** `pages`: the folder of the built pages. */
export async function startStudioServer(pages: string): Promise<StudioServer> {
  const segments: Uploaded[] = [];
  const settings: unknown[] = [];
  const ends: string[] = [];
  const stream: StudioServer['stream'] = { title: 'My show' };
  const fault: StudioServer['fault'] = { isOut: false, refusesKeys: false };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const isApi = /^\/(upload|streams|viewstream)\//.test(pathname);
    if (pathname.startsWith('/upload/') && fault.isOut) request.socket.destroy();
    else (isApi ? api : page)(request, response).catch(() => request.socket.destroy());
  });

  async function page(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = path.extname(pathname) === '' ? `${pathname}.html` : pathname;
    const body = await readFile(path.join(pages, file)).catch(() => undefined);
    response.writeHead(body ? 200 : 404, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'content-security-policy': CONTENT_SECURITY_POLICY,
    });
    response.end(body);
  }

  async function api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const [, call, id = '', rest] = pathname.split('/');
    const bytes = await buffer(request);
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const refuse = (status: number, code: string): void =>
      json(status, { code, message: code, hint: '' });
    const key = request.headers.authorization?.replace('Bearer ', '');
    if (call === 'viewstream' && stream.title === undefined) refuse(404, 'stream_not_found');
    else if (call === 'viewstream') json(200, { videoId: id, title: stream.title });
    else if (call === 'streams' && key !== OWNER_KEY) refuse(403, 'forbidden');
    else if (call === 'streams') {
      settings.push(JSON.parse(bytes.toString()));
      json(201, { videoId: id });
    } else if (fault.refusesKeys || (key !== UPLOAD_KEY && key !== OWNER_KEY)) {
      refuse(403, 'forbidden');
    } else if (rest === 'end') {
      ends.push(id);
      json(200, {});
    } else if (searchParams.has('segment')) json(201, take(searchParams, bytes));
    else refuse(400, 'bad_segment_number');
  }

  function take(query: URLSearchParams, bytes: Buffer): Receipt {
    const segment = {
      session: query.get('session') ?? '',
      number: Number(query.get('segment')),
      durationSeconds: Number(query.get('duration')),
      atMs: Date.parse(query.get('at') ?? ''),
      bytes: Uint8Array.from(bytes),
    };
    const { session, number } = segment;
    const same = segments.filter((one) => one.session === session);
    if (!same.some((one) => one.number === number)) segments.push(segment);
    const numbers = new Set([...same.map((one) => one.number), number]);
    const next = Math.max(...numbers) + 1;
    const first = Math.min(...numbers);
    const all = Array.from({ length: next }, (_, one) => one);
    return {
      ...{ stored: true, videoId: 'v', session, segment: number, digest: '', durationMs: 0 },
      sizeBytes: bytes.length,
      missing: all.filter((one) => one > first && !numbers.has(one)),
      next,
      serverTime: new Date().toISOString(),
    };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    segments,
    settings,
    ends,
    stream,
    fault,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
