/** JSON bodies, and what is wrong with them in English. */

import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { DomainError } from '../../lib/domain/errors.ts';
import { bodyBytes, type HttpEvent } from './middleware.ts';

// zod/mini has no messages of its own.
z.config(en());

/** Throws `bad_request`, which names each wrong field. */
export function parseBody<T>(schema: z.ZodMiniType<T>, event: HttpEvent): T {
  const text = Buffer.from(bodyBytes(event)).toString('utf8');
  let body: unknown;
  try {
    body = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw new DomainError(
      'bad_request',
      'The body is not JSON.',
      'Send a JSON object, or nothing.',
    );
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new DomainError('bad_request', z.prettifyError(result.error), 'Correct the named fields.');
}
