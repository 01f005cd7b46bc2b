/** The wall clock that an encoder says. */

import { DomainError } from '../../lib/domain/errors.ts';
import { type HttpEvent, parameter } from '../runtime/middleware.ts';

/** `at`: ISO 8601 with its zone, or milliseconds since 1970. */
export function instantOf(event: HttpEvent): number | undefined {
  const text = parameter(event, 'at');
  if (text === undefined) return undefined;
  const isIso = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)$/i.test(text);
  const atMs = /^\d{1,15}$/.test(text) ? Number(text) : isIso ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new DomainError(
    'bad_request',
    `"${text}" is no time.`,
    'Send when it began, as in 2026-11-21T10:00:00.250Z, or in milliseconds since 1970.',
  );
}
