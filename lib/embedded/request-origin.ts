/**
 * The scheme, host and port that the client of the present request used. Presigned URLs are made with it,
 * so that a client in the next room gets a url that it can reach.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { DomainError } from '../domain/errors.ts';

const origins = new AsyncLocalStorage<string>();

export const requestOrigin = (): string | undefined => origins.getStore();

export const withRequestOrigin = <Result>(request: IncomingMessage, run: () => Result): Result =>
  origins.run(originOf(request), run);

/** A proxy in front may set both; the value is only used in the answer to its own client. */
export function originOf(request: IncomingMessage): string {
  const scheme = forwarded(request, 'x-forwarded-proto') === 'https' ? 'https' : 'http';
  const host = forwarded(request, 'x-forwarded-host') ?? request.headers.host;
  return `${scheme}://${host || `127.0.0.1:${request.socket.localPort}`}`;
}

/** A name or an address with a port or without (RFC 9110, 7.2), of the characters that hosts have. */
const HOST = /^(?:\[[0-9a-f:.]{2,45}\]|[\w.~-]{1,253})(?::\d{1,5})?$/i;

/** Throws `bad_request` for a host that is given twice or is none: presigned URLs are made with it. */
export function checkHost(request: IncomingMessage): void {
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0);
  const given = names.filter((name) => name.toLowerCase() === 'host').length;
  const hosts = [request.headers.host || undefined, forwarded(request, 'x-forwarded-host')];
  if (given < 2 && hosts.every((host) => host === undefined || HOST.test(host))) return;
  throw new DomainError(
    'bad_request',
    'The request does not say at which host it is.',
    'Send one Host header with a name or an address and a port; proxies, X-Forwarded-Host.',
  );
}

const forwarded = (request: IncomingMessage, header: string): string | undefined =>
  request.headers[header]?.toString().split(',')[0]?.trim();
