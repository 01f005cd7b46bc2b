/**
 * The scheme, host and port that the client of the present request used. Presigned URLs are made with it,
 * so that a client in the next room gets a url that it can reach.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';

const origins = new AsyncLocalStorage<string>();

export const requestOrigin = (): string | undefined => origins.getStore();

export const withRequestOrigin = <Result>(request: IncomingMessage, run: () => Result): Result =>
  origins.run(originOf(request), run);

/** A proxy in front may set both; the value is only used in the answer to its own client. */
export function originOf(request: IncomingMessage): string {
  const scheme = forwarded(request, 'x-forwarded-proto') === 'https' ? 'https' : 'http';
  const host = forwarded(request, 'x-forwarded-host') ?? request.headers.host;
  return `${scheme}://${host ?? `127.0.0.1:${request.socket.localPort}`}`;
}

const forwarded = (request: IncomingMessage, header: string): string | undefined =>
  request.headers[header]?.toString().split(',')[0]?.trim();
