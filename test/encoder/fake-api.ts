/** The API in memory, with faults that tests inject: the server of the encoder's tests. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PresignedUpload, Receipt } from '../../lib/api/messages.ts';
import { MAX_BODY_BYTES } from '../../lib/api/routes.ts';

export type StoredSegment = Readonly<{
  session: string;
  number: number;
  bytes: Buffer;
  durationSeconds: number | undefined;
  /** When it began by the encoder, ISO 8601. */
  at?: string | undefined;
  presigned: boolean;
}>;

/** `cut`: the request is carried out, but its answer is lost. */
export type Fault =
  | Readonly<{ type: 'status'; status: number; code?: string }>
  | Readonly<{ type: 'destroy' }>
  | Readonly<{ type: 'cut' }>
  | Readonly<{ type: 'slow'; ms: number }>
  /** Answered when this is fulfilled. */
  | Readonly<{ type: 'held'; until: Promise<unknown> }>;

export type ApiCall = Readonly<{
  method: string;
  path: string;
  query: Readonly<Record<string, string>>;
  bodyBytes: number;
  /** How many other calls were in progress when it arrived. */
  others: number;
}>;

export type FakeApi = Readonly<{
  url: string;
  calls: ApiCall[];
  /** In order of arrival. */
  segments: StoredSegment[];
  pushed: Readonly<{ name: string; bytes: Buffer }>[];
  /** Ids of the streams that were ended. */
  ends: string[];
  settings: unknown[];
  /** Of the stream; undefined: there is none. */
  startedAt: { current: string | undefined };
  /** Called for each call; may count them. */
  fault: { current: ((call: ApiCall) => Fault | undefined) | undefined };
  /** Closes all connections and stops listening. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}>;

export async function startFakeApi(key = 'secret'): Promise<FakeApi> {
  const calls: ApiCall[] = [];
  const segments: StoredSegment[] = [];
  const pushed: { name: string; bytes: Buffer }[] = [];
  const ends: string[] = [];
  const settings: unknown[] = [];
  const fault: FakeApi['fault'] = { current: undefined };
  const startedAt: FakeApi['startedAt'] = { current: undefined };
  const objects = new Map<string, Buffer>();
  let underWay = 0;
  let port = 0;

  const receipt = (segment: StoredSegment): Receipt => {
    const numbers = new Set(
      segments.filter((s) => s.session === segment.session).map((s) => s.number),
    );
    const next = Math.max(...numbers) + 1;
    const first = Math.min(...numbers);
    const missing = Array.from({ length: next }, (_, n) => n).filter(
      (n) => n > first && !numbers.has(n),
    );
    return {
      stored: true,
      videoId: 'v',
      session: segment.session,
      segment: segment.number,
      digest: digestOf(segment.bytes),
      sizeBytes: segment.bytes.length,
      durationMs: Math.round((segment.durationSeconds ?? 0) * 1000),
      missing: missing.slice(0, 100),
      next,
      serverTime: new Date().toISOString(),
    };
  };

  function store(segment: StoredSegment): Answer {
    const present = segments.find(
      (s) => s.session === segment.session && s.number === segment.number,
    );
    if (present && !present.bytes.equals(segment.bytes)) return refusal(409, 'segment_conflict');
    if (!present) segments.push(segment);
    return { status: present ? 200 : 201, body: receipt(present ?? segment) };
  }

  function upload(query: Readonly<Record<string, string>>, bytes: Buffer): Answer {
    const number = Number(query.segment);
    const session = query.session ?? '';
    const digest = query.digest;
    if (!/^\d+$/.test(query.segment ?? '')) return refusal(400, 'bad_segment_number');
    const durationSeconds = query.duration === undefined ? undefined : Number(query.duration);
    const segment = { session, number, durationSeconds, at: query.at };
    if (query.size === undefined) {
      if (bytes.length > MAX_BODY_BYTES) return refusal(413, 'too_large');
      if (digest !== digestOf(bytes)) return refusal(400, 'digest_mismatch');
      return store({ ...segment, bytes, presigned: false });
    }
    if (bytes.length > 0 || digest === undefined) return refusal(400, 'bad_request');
    const object = objects.get(digest);
    if (object) {
      if (object.length !== Number(query.size)) return refusal(400, 'size_mismatch');
      // Committed a moment later: the first answer after the PUT is another presigned upload.
      if (calls.filter((call) => call.query.digest === digest).length > 2) {
        return store({ ...segment, bytes: object, presigned: true });
      }
    }
    const presigned: PresignedUpload = {
      stored: false,
      upload: {
        method: 'PUT',
        url: `http://127.0.0.1:${port}/store/${digest}?signature=yes`,
        headers: { 'x-presigned': digest },
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
      },
      serverTime: new Date().toISOString(),
    };
    return { status: 202, body: presigned };
  }

  function route(call: ApiCall, request: IncomingMessage, bytes: Buffer): Answer {
    const [, area, id, ...file] = call.path.split('/').map(decodeURIComponent);
    const name = file.length > 0 ? file.join('/') : undefined;
    if (area === 'store') {
      if (request.headers['x-presigned'] !== id || request.headers.authorization) {
        return refusal(403, 'forbidden');
      }
      if (id === undefined || digestOf(bytes) !== id) return refusal(400, 'digest_mismatch');
      if (objects.has(id)) return { status: 412, body: {} };
      objects.set(id, bytes);
      return { status: 200, body: undefined };
    }
    if (request.headers.authorization === undefined) return refusal(401, 'unauthorized');
    if (request.headers.authorization !== `Bearer ${key}`) return refusal(403, 'forbidden');
    if (area === 'streams') {
      settings.push(JSON.parse(bytes.toString()));
      return { status: 200, body: { videoId: id } };
    }
    if (area === 'viewstream' && startedAt.current !== undefined) {
      return { status: 200, body: { state: 'ended', startedAt: startedAt.current } };
    }
    if (area !== 'upload') return refusal(404, 'not_found');
    if (name === 'end' && call.method === 'POST') {
      if (bytes.length > 0) return refusal(400, 'bad_request');
      ends.push(id ?? '');
      return { status: 200, body: { ended: true } };
    }
    if (name === undefined && call.method === 'POST') return upload(call.query, bytes);
    if (name === undefined) return refusal(405, 'method_not_allowed');
    pushed.push({ name, bytes });
    const number = name.match(/(\d+)\.(ts|m4s)$/)?.[1];
    if (number === undefined) return { status: 204, body: undefined };
    return store({
      session: '',
      number: Number(number),
      bytes,
      durationSeconds: undefined,
      presigned: false,
    });
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const others = underWay;
    underWay += 1;
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const bytes = await buffer(request);
      const query = Object.fromEntries(url.searchParams);
      const call = {
        method: request.method ?? '',
        path: url.pathname,
        query,
        bodyBytes: bytes.length,
        others,
      };
      calls.push(call);
      const planned = fault.current?.(call);
      if (planned?.type === 'slow') await sleep(planned.ms);
      if (planned?.type === 'held') await planned.until;
      if (planned?.type === 'destroy') return void request.socket.destroy();
      const answer =
        planned?.type === 'status'
          ? refusal(planned.status, planned.code ?? 'internal')
          : route(call, request, bytes);
      if (planned?.type === 'cut') return void request.socket.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
    } finally {
      underWay -= 1;
    }
  }

  let server: Server | undefined;
  const comeBack = async (): Promise<void> => {
    server = createServer((request, response) => {
      serve(request, response).catch(() => request.socket.destroy());
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const goAway = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    if (!closing) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    closing.closeAllConnections();
    await closed;
  };
  await comeBack();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    calls,
    segments,
    pushed,
    ends,
    settings,
    startedAt,
    fault,
    goAway,
    comeBack,
    close: goAway,
  };
}

type Answer = Readonly<{ status: number; body: unknown }>;

const refusal = (status: number, code: string): Answer => ({
  status,
  body: { code, message: `It is ${code}.`, hint: 'Do as the hint says.' },
});

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
