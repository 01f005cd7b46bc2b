/** Serves Lambda handlers over HTTP as an API Gateway HTTP API would, with the same limits. */

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { defined } from '../base/defined.ts';
import { DomainError } from '../domain/errors.ts';
import { clientAddress } from './client-address.ts';
import { answerPreflight } from './cross-origin.ts';
import { errorCode } from './error-code.ts';
import { GATEWAY_LIMITS, type GatewayLimits } from './gateway-limits.ts';
import { type ExchangeShared, HttpExchange } from './http-exchange.ts';
import { KeyAttempts, TooManyAttempts } from './key-attempts.ts';
import { type AnyHandler, HandlerTimeout, invoke } from './lambda-context.ts';
import { eventBytes, fromLambdaResult, type HttpAnswer, toLambdaEvent } from './lambda-event.ts';
import { BodyMemory, type BodyReading, bodyTooLarge } from './request-body.ts';
import { checkHost, withRequestOrigin } from './request-origin.ts';
import { type PathParameters, RouteTable, withHead } from './route-table.ts';

export type LambdaRoute = Readonly<{
  method: string;
  /** As API Gateway writes it: `/streams/{videoId}`. */
  path: string;
  handler: AnyHandler<APIGatewayProxyEventV2>;
  /**
   * What the function says to the request without its body, if it refuses it: the body is not read then.
   * undefined: the caller is admitted. Absent: the function asks for no key.
   */
  refusal?(event: APIGatewayProxyEventV2): Promise<RouteRefusal | undefined>;
  /** At most 30 s, as there. */
  timeoutMs?: number;
}>;

export type RouteRefusal = Readonly<{ answer: unknown; isWrongKey: boolean }>;

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
  limits?: Partial<GatewayLimits>;
  /** In which a proxy says the country of its client. Absent: none does. */
  countryHeader?: string;
}>;

/** Of a function's event and of its answer. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
const MAX_TIMEOUT_MS = 30_000;
const CLOSE_POLL_MS = 50;
const CONNECTIONS_CHECK_MS = 2_000;

export class Gateway {
  readonly #server: Server;
  readonly #routes: RouteTable<LambdaRoute>;
  readonly #mounts: readonly Mount[];
  readonly #report: GatewayOptions['report'];
  readonly #limits: GatewayLimits;
  readonly #shared: ExchangeShared;
  readonly #memory: BodyMemory;
  readonly #attempts = new KeyAttempts();
  readonly #countryHeader: string | undefined;
  #connections = 0;
  #closing = false;

  constructor({ routes, mounts = [], report, limits = {}, countryHeader }: GatewayOptions) {
    this.#countryHeader = countryHeader?.toLowerCase();
    this.#limits = { ...GATEWAY_LIMITS, ...limits };
    this.#shared = { limits: this.#limits, draining: new Set() };
    this.#memory = new BodyMemory(this.#limits.allBodiesBytes);
    this.#routes = new RouteTable(routes);
    this.#mounts = mounts.toSorted((a, b) => b.prefix.length - a.prefix.length);
    this.#report = report;
    const { headersMs, headerBytes, headers, idleMs, connections } = this.#limits;
    this.#server = createServer({
      // A large upload over a slow line takes its time: what is limited is its rate, and silence.
      requestTimeout: 0,
      headersTimeout: headersMs,
      connectionsCheckingInterval: Math.min(headersMs, CONNECTIONS_CHECK_MS),
      keepAliveTimeout: idleMs,
      maxHeaderSize: headerBytes,
    });
    this.#server.maxHeadersCount = headers;
    this.#server.maxConnections = connections;
    this.#server.setTimeout(idleMs);
    this.#server.on('connection', (socket) => {
      this.#connections += 1;
      socket.once('close', () => {
        this.#connections -= 1;
      });
      if (this.#isCrowded) this.#server.closeIdleConnections();
    });
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
    const exchange = new HttpExchange(request, response, clientWaits, this.#shared);
    if (this.#closing || this.#isCrowded) response.shouldKeepAlive = false;
    response.on('error', () => response.destroy());
    try {
      checkHost(request);
      await withRequestOrigin(request, () => this.#dispatch(exchange));
    } catch (error) {
      this.#answerFailure(exchange, error);
    }
  }

  get #isCrowded(): boolean {
    return this.#connections > this.#limits.crowdedConnections;
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
      'Compare method and path with the list of calls in docs/api.md.',
    );
  }

  async #call(
    route: LambdaRoute,
    pathParameters: PathParameters,
    exchange: HttpExchange,
  ): Promise<void> {
    const { bodyBytes, queryBodyBytes } = this.#limits;
    const limitBytes = ['GET', 'HEAD'].includes(exchange.method) ? queryBodyBytes : bodyBytes;
    const key = exchange.request.headers.authorization;
    const address = clientAddress(exchange.request);
    if (route.refusal && key !== undefined) await this.#attempts.begin(address, key);
    const { declaredBytes } = exchange;
    const mayRead = (declaredBytes ?? 0) <= limitBytes && (!route.refusal || key !== undefined);
    const share = this.#memory.begin(mayRead ? declaredBytes : 0);
    let reading: BodyReading | undefined;
    try {
      // A client that does not wait sends its body while its key is looked at.
      if (mayRead && !exchange.clientWaits) reading = exchange.readBody(limitBytes, share);
      const event = this.#event(route, pathParameters, exchange, Buffer.alloc(0));
      const refused = await route.refusal?.(event);
      if (refused) {
        reading?.stop();
        if (refused.isWrongKey && key !== undefined) this.#attempts.wrong(address, key);
        return exchange.answer(fromLambdaResult(refused.answer));
      }
      if (route.refusal && key !== undefined) this.#attempts.right(address, key);
      reading ??= exchange.readBody(limitBytes, share);
      const body = await reading.body;
      exchange.answer(await this.#invoke(route, pathParameters, exchange, body));
    } finally {
      reading?.stop();
      share.end();
    }
  }

  #event(
    route: LambdaRoute,
    pathParameters: PathParameters,
    exchange: HttpExchange,
    body: Buffer,
  ): APIGatewayProxyEventV2 {
    const { request } = exchange;
    return toLambdaEvent({
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
      ...defined({ countryHeader: this.#countryHeader }),
    });
  }

  async #invoke(
    route: LambdaRoute,
    pathParameters: PathParameters,
    exchange: HttpExchange,
    body: Buffer,
  ): Promise<HttpAnswer> {
    const event = this.#event(route, pathParameters, exchange, body);
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
      const isExpected = isOfTheClient(error) || error instanceof DomainError;
      if (!exchange.isCut || !isExpected)
        this.#report(error, `${exchange.method} ${exchange.path}`);
    } else if (error instanceof MethodNotAllowed) {
      exchange.answerError(error, { allow: error.allowed.join(', ') });
    } else if (error instanceof DomainError) {
      if (error.status === 507) this.#report(error, `${exchange.method} ${exchange.path}`);
      exchange.answerError(error, retryAfter(error));
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

/** Of a connection that its client ended. */
const isOfTheClient = (error: unknown): boolean =>
  /^(ERR_STREAM_|ERR_HTTP_|ECONNRESET$|EPIPE$|ABORT_ERR$)/.test(errorCode(error));

const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 503: 1, 507: 10 };

function retryAfter(error: DomainError): Record<string, string> {
  const seconds =
    error instanceof TooManyAttempts ? error.retryAfterSeconds : RETRY_AFTER_SECONDS[error.status];
  return seconds === undefined ? {} : { 'retry-after': String(seconds) };
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
