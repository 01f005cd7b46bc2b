/** One HTTP request and its answer: body with a limit, JSON errors that clients really get to see. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorBody } from '../api/messages.ts';
import type { DomainError } from '../domain/errors.ts';
import { crossOriginHeaders } from './cross-origin.ts';
import type { GatewayLimits } from './gateway-limits.ts';
import type { HttpAnswer } from './lambda-event.ts';
import {
  type BodyReading,
  type BodyShare,
  bodyTooLarge,
  readBody,
  streamBody,
} from './request-body.ts';

/** Common to all exchanges of a gateway. */
export type ExchangeShared = Readonly<{
  limits: GatewayLimits;
  /** Refused clients that still send. */
  draining: Set<HttpExchange>;
}>;

export class HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Still percent-encoded. */
  readonly path: string;
  readonly queryString: string;
  /** The client asked for `100 Continue` before it sends the body. */
  readonly clientWaits: boolean;

  readonly #shared: ExchangeShared;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    clientWaits: boolean,
    shared: ExchangeShared,
  ) {
    this.#shared = shared;
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

  /** The client left: nobody reads the answer. */
  get isCut(): boolean {
    return this.request.socket.destroyed || this.response.destroyed;
  }

  /** The body as it comes. Fails if the connection ends before the body does, or comes too slowly. */
  body(): AsyncIterable<Buffer> {
    if (this.clientWaits) this.response.writeContinue();
    return streamBody(this.request, this.#shared.limits);
  }

  /** Begins to take the body into memory. Throws `too_large`; `unavailable` if there is no memory for it. */
  readBody(limitBytes: number, share: BodyShare): BodyReading {
    const declared = this.declaredBytes;
    if (declared === 0) return { body: Promise.resolve(Buffer.alloc(0)), stop: () => {} };
    if (declared !== undefined && declared > limitBytes) throw bodyTooLarge(limitBytes);
    if (this.clientWaits) this.response.writeContinue();
    return readBody(this.request, limitBytes, this.#shared.limits, share);
  }

  answer({ status, headers, cookies, body }: HttpAnswer): void {
    const { response } = this;
    const bodiless = status === 204 || status === 304;
    response.writeHead(status, {
      'x-content-type-options': 'nosniff',
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
    const { limits, draining } = this.#shared;
    let drainedBytes = 0;
    const end = () => {
      clearTimeout(timer);
      clearTimeout(idle);
      draining.delete(this);
      response.end();
      request.socket.destroySoon();
    };
    const timer = setTimeout(end, draining.size < limits.drains ? limits.drainMs : 0);
    const idle = setTimeout(end, limits.drainIdleMs);
    draining.add(this);
    request.on('data', (chunk: Buffer) => {
      idle.refresh();
      drainedBytes += chunk.length;
      if (drainedBytes > limits.drainBytes) end();
    });
    request.once('end', end).once('close', end).once('error', end);
    request.resume();
  }
}
