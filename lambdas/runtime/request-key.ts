/** The key of a request, and whether it may be used there. */

import { DomainError } from '../../lib/domain/errors.ts';
import { credentialOf } from '../../lib/pipeline/auth.ts';
import type { HttpEvent } from './middleware.ts';

const SAFE_METHODS = ['GET', 'HEAD'];

/**
 * undefined: the request has none, or it is malformed. Throws `cross_site` for a request that a page of
 * another site made a browser send with the key that it keeps of `http://x:KEY@host/`. Keys sent as
 * Bearer are no browser's to add.
 */
export function keyOf(event: HttpEvent): string | undefined {
  const credential = credentialOf(event.headers.authorization);
  if (credential?.scheme === 'basic' && changesSomething(event) && isCrossSite(event)) {
    throw new DomainError(
      'cross_site',
      'A page of another site sent this request with the key that your browser keeps.',
      'Send the key as "Authorization: Bearer KEY", or from a program that is no browser.',
    );
  }
  return credential?.key;
}

const changesSomething = ({ requestContext }: HttpEvent): boolean =>
  !SAFE_METHODS.includes(requestContext.http.method);

/** Browsers send `Sec-Fetch-Site` to secure origins and loopback, and `Origin` with every such request. */
function isCrossSite({ headers, requestContext }: HttpEvent): boolean {
  const site = headers['sec-fetch-site']?.trim().toLowerCase();
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (headers.origin === undefined) return false;
  const own = [headers.host, headers['x-forwarded-host'], requestContext.domainName];
  return !own.some((host) => host !== undefined && isAt(headers.origin, host));
}

const isAt = (origin: string | undefined, host: string): boolean =>
  URL.canParse(origin ?? '') && new URL(origin ?? '').host === hostOf(origin, host);

/** As a URL writes it: in lower case, without the port that its scheme has anyway. */
function hostOf(origin: string | undefined, host: string): string | undefined {
  const url = `${origin?.split(':')[0]}://${host.split(',')[0]?.trim()}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
