/** Serves Lambda handlers over HTTP as an API Gateway HTTP API would, with the same limits. */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { DomainError } from '../domain/errors.ts';
import { answerPreflight } from './cross-origin.ts';
import { bodyTooLarge, HttpExchange } from './http-exchange.ts';
import { type AnyHandler, HandlerTimeout, invoke } from './lambda-context.ts';
import { eventBytes, fromLambdaResult, type HttpAnswer, toLambdaEvent } from './lambda-event.ts';
import { withRequestOrigin } from './request-origin.ts';
import { type PathParameters, RouteTable, withHead } from './route-table.ts';

export type LambdaRoute = Readonly<{
  method: string;
  /** As API Gateway writes it: `/streams/{videoId}`. */
  path: string;
  handler: AnyHandler<APIGatewayProxyEventV2>;
  /** At most 30 s, as there. */
  timeoutMs?: number;
}>;

/** What is served without a Lambda function: all paths below a prefix that no route takes. */
export type Mount = Readonly<{
  /** Ends in `/`. */
  prefix: string;
  methods: readonly string[];
  /** A `DomainError` that it throws becomes the answer. */
  serve(exchange: HttpExchange): Promise<void>;
}>;

export type GatewayOptions = Readonly<{
  routes: readonly LambdaRoute[];
  mounts?: readonly Mount[];
  /** Faults of the server, whose details clients do not get. */
  report: (error: unknown, what: string) => void;
}>;

const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** Of a function's event and of its answer. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
const MAX_TIMEOUT_MS = 30_000;
/** Longer than any handler may take, so only connections without traffic are cut. */
const SOCKET_IDLE_MS = 75_000;
const CLOSE_POLL_MS = 50;

export class Gateway {
  readonly #server: Server;
  readonly #routes: RouteTable<LambdaRoute>;
  readonly #mounts: readonly Mount[];
  readonly #report: GatewayOptions['report'];
  #closing = false;

  constructor({ routes, mounts = [], report }: GatewayOptions) {
    this.#routes = new RouteTable(routes);
    this.#mounts = mounts.toSorted((a, b) => b.prefix.length - a.prefix.length);
    this.#report = report;
    // A large upload over a slow line takes its time: what is limited is silence.
    this.#server = createServer({ requestTimeout: 0, keepAliveTimeout: SOCKET_IDLE_MS });
    this.#server.setTimeout(SOCKET_IDLE_MS);
    this.#server.on('request', (request, response) => this.#serve(request, response, false));
    this.#server.on('checkContinue', (request, response) => this.#serve(request, response, true));
  }

  /** Resolves to the address that it listens on; port 0 takes a free one. */
  async listen(port: number, host: string): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('No TCP address');
    return address;
  }

  /** Takes no more connections, lets requests finish for `graceMs`, then cuts what is left. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const deadline = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    const idle = setInterval(() => this.#server.closeIdleConnections(), CLOSE_POLL_MS);
    await closed;
    clearTimeout(deadline);
    clearInterval(idle);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, clientWaits: boolean) {
    const exchange = new HttpExchange(request, response, clientWaits);
    if (this.#closing) response.shouldKeepAlive = false;
    response.on('error', () => response.destroy());
    try {
      await withRequestOrigin(request, () => this.#dispatch(exchange));
    } catch (error) {
      this.#answerFailure(exchange, error);
    }
  }

  async #dispatch(exchange: HttpExchange): Promise<void> {
    const { method, path } = exchange;
    if (method === 'OPTIONS') return answerPreflight(exchange.request, exchange.response);
    const match = this.#routes.match(method, path);
    if (match.type === 'found') return this.#call(match.route, match.parameters, exchange);
    if (match.type === 'other-methods') throw methodNotAllowed(exchange, match.allowed);
    const mount = this.#mounts.find(({ prefix }) => path.startsWith(prefix));
    if (mount?.methods.includes(method)) return mount.serve(exchange);
    if (mount && mount.prefix !== '/') throw methodNotAllowed(exchange, withHead(mount.methods));
    throw new DomainError(
      'not_found',
      `There is nothing at ${method} ${path}.`,
      'Compare method and path with the list of calls in the README.',
    );
  }

  async #call(
    route: LambdaRoute,
    pathParameters: PathParameters,
    exchange: HttpExchange,
  ): Promise<void> {
    // ffmpeg sends the password of its URL only when it is asked for it, and waits for that before
    // it sends the body: so the function is called first without the body, and refuses the request.
    if (exchange.clientWaits && exchange.request.headers.authorization === undefined) {
      const answer = await this.#invoke(route, pathParameters, exchange, Buffer.alloc(0));
      if (answer.status === 401) return exchange.answer(answer);
    }
    const body = await exchange.readBody(MAX_BODY_BYTES);
    exchange.answer(await this.#invoke(route, pathParameters, exchange, body));
  }

  async #invoke(
    route: LambdaRoute,
    pathParameters: PathParameters,
    exchange: HttpExchange,
    body: Buffer,
  ): Promise<HttpAnswer> {
    const { request } = exchange;
    const event = toLambdaEvent({
      requestId: randomUUID(),
      timeMs: Date.now(),
      method: exchange.method,
      path: exchange.path,
      queryString: exchange.queryString,
      protocol: `HTTP/${request.httpVersion}`,
      rawHeaders: request.rawHeaders,
      remoteAddress: request.socket.remoteAddress ?? '',
      routeKey: `${route.method} ${route.path}`,
      pathParameters,
      body,
    });
    if (eventBytes(event) > MAX_PAYLOAD_BYTES) throw bodyTooLarge(MAX_PAYLOAD_BYTES);
    const timeoutMs = Math.min(route.timeoutMs ?? MAX_TIMEOUT_MS, MAX_TIMEOUT_MS);
    const result = await invoke(event.routeKey, route.handler, event, timeoutMs);
    const answer = fromLambdaResult(result);
    if (answer.body.length > MAX_PAYLOAD_BYTES) {
      throw new Error(
        `${event.routeKey} answered ${answer.body.length} bytes, too many for Lambda`,
      );
    }
    return answer;
  }

  #answerFailure(exchange: HttpExchange, error: unknown): void {
    const { response } = exchange;
    if (exchange.isCut || response.headersSent) {
      // Half an answer cannot be taken back; a cut connection shows the client that it is half.
      response.destroy();
      if (!exchange.isCut) this.#report(error, `${exchange.method} ${exchange.path}`);
    } else if (error instanceof MethodNotAllowed) {
      exchange.answerError(error, { allow: error.allowed.join(', ') });
    } else if (error instanceof DomainError) {
      exchange.answerError(error);
    } else if (error instanceof URIError) {
      const message = `The path ${exchange.path} is not well encoded.`;
      exchange.answerError(new DomainError('bad_request', message, 'Percent-encode it as UTF-8.'));
    } else if (error instanceof HandlerTimeout) {
      this.#report(error, `${exchange.method} ${exchange.path}`);
      const hint = 'Try again in a moment.';
      exchange.answerError(new DomainError('unavailable', 'The answer took too long.', hint));
    } else {
      this.#report(error, `${exchange.method} ${exchange.path}`);
      exchange.answerFault();
    }
  }
}

class MethodNotAllowed extends DomainError {
  readonly allowed: readonly string[];

  constructor(message: string, allowed: readonly string[]) {
    super('method_not_allowed', message, `Use ${allowed.join(' or ')}.`);
    this.allowed = allowed;
  }
}

const methodNotAllowed = ({ method, path }: HttpExchange, allowed: readonly string[]) =>
  new MethodNotAllowed(`${path} does not take ${method}.`, allowed);
