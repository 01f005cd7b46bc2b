/** One HTTP request and its answer: body with a limit, JSON errors that clients really get to see. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorBody } from '../api/messages.ts';
import { DomainError } from '../domain/errors.ts';
import { crossOriginHeaders } from './cross-origin.ts';
import type { HttpAnswer } from './lambda-event.ts';

/** What a refused client may still send before the connection is cut. */
const DRAIN_BYTES = 1024 * 1024 * 1024;
const DRAIN_MS = 60_000;

export class HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Still percent-encoded. */
  readonly path: string;
  readonly queryString: string;
  /** The client asked for `100 Continue` before it sends the body. */
  readonly clientWaits: boolean;

  constructor(request: IncomingMessage, response: ServerResponse, clientWaits: boolean) {
    this.request = request;
    this.response = response;
    this.clientWaits = clientWaits;
    const url = (request.url ?? '/').replace(/^https?:\/\/[^/]*/i, '');
    const queryAt = url.indexOf('?');
    this.path = queryAt === -1 ? url : url.slice(0, queryAt);
    this.queryString = queryAt === -1 ? '' : url.slice(queryAt + 1);
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  /** undefined for a chunked request. */
  get declaredBytes(): number | undefined {
    const { 'content-length': length, 'transfer-encoding': encoding } = this.request.headers;
    if (encoding !== undefined) return undefined;
    return length === undefined ? 0 : Number(length);
  }

  /** The client left before its whole body arrived. */
  get isCut(): boolean {
    return !this.request.complete && this.request.socket.destroyed;
  }

  /** The body as it comes. Fails if the connection ends before the body does. */
  body(): AsyncIterable<Buffer> {
    if (this.clientWaits) this.response.writeContinue();
    // Not destroyed on an early return: the socket is still needed for the answer.
    return this.request.iterator({ destroyOnReturn: false });
  }

  /** `too_large` as soon as it is known. */
  async readBody(limitBytes: number): Promise<Buffer> {
    const declared = this.declaredBytes;
    if (declared === 0) return Buffer.alloc(0);
    if (declared !== undefined && declared > limitBytes) throw bodyTooLarge(limitBytes);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of this.body()) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) throw bodyTooLarge(limitBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, sizeBytes);
  }

  answer({ status, headers, cookies, body }: HttpAnswer): void {
    const { response } = this;
    const bodiless = status === 204 || status === 304;
    response.writeHead(status, {
      ...headers,
      ...crossOriginHeaders(Object.keys(headers)),
      ...(!bodiless && { 'content-length': body.length }),
      ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
      ...(!this.#bodyIsRead && { connection: 'close' }),
    });
    if (!bodiless && this.method !== 'HEAD') response.write(body);
    if (this.#bodyIsRead) response.end();
    else this.#drainThenEnd();
  }

  answerJson(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const body = Buffer.from(JSON.stringify(value));
    const type = { 'content-type': 'application/json' };
    this.answer({ status, headers: { ...type, ...headers }, cookies: [], body });
  }

  answerError(error: DomainError, headers: Readonly<Record<string, string>> = {}): void {
    const { code, message, hint } = error;
    const body: ErrorBody = { code, message, hint };
    this.answerJson(error.status, body, headers);
  }

  /** For faults of ours: without details. */
  answerFault(): void {
    const body: ErrorBody = {
      code: 'internal',
      message: 'Something went wrong on the server.',
      hint: 'Try again; if it stays, check the log of the server.',
    };
    this.answerJson(500, body);
  }

  get #bodyIsRead(): boolean {
    return this.request.complete || this.declaredBytes === 0;
  }

  /**
   * A socket that is closed with bytes unread is reset, and a reset may overtake the answer. So the
   * answer goes out whole, and the connection ends when the client has sent all or has hung up.
   */
  #drainThenEnd(): void {
    const { request, response } = this;
    let drainedBytes = 0;
    const end = () => {
      clearTimeout(timer);
      response.end();
      request.socket.destroySoon();
    };
    const timer = setTimeout(end, DRAIN_MS);
    request.on('data', (chunk: Buffer) => {
      drainedBytes += chunk.length;
      if (drainedBytes > DRAIN_BYTES) end();
    });
    request.once('end', end).once('close', end).once('error', end);
    request.resume();
  }
}

export const bodyTooLarge = (limitBytes: number): DomainError =>
  new DomainError(
    'too_large',
    `The body has more than ${limitBytes} bytes.`,
    'Announce large segments: POST /upload/{videoId}?size=N&digest=SHA256 without a body, ' +
      'then PUT the bytes to the url of the answer.',
  );
