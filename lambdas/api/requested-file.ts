/** The answer to a request for a file that a job makes. */

import type { FileProgress } from '../../lib/api/messages.ts';
import { pause } from '../../lib/base/retry.ts';
import { DomainError } from '../../lib/domain/errors.ts';
import type { RequestedFile } from '../../lib/pipeline/jobs/file-request.ts';
import { type HttpResult, json } from '../runtime/middleware.ts';

/** A function has less than 29 s, and the job's own start takes some. */
const MAX_WAIT_SECONDS = 20;
const POLL_MS = 250;
const RETRY_AFTER_SECONDS = 2;

/** Of the query: how long the request may be held until the file is there. Throws `bad_request`. */
export function parseWait(text = '0'): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MAX_WAIT_SECONDS) return seconds;
  throw new DomainError(
    'bad_request',
    `"${text}" is no time to wait.`,
    `Send up to ${MAX_WAIT_SECONDS} seconds, as in wait=10.`,
  );
}

/**
 * 302 to the object once it is there; 202 with its progress if it is not after `waitSeconds`. `find` is
 * asked again meanwhile. `headers`: of the redirect, which says how long it may be cached.
 */
export async function answerWithFile(
  find: () => Promise<RequestedFile>,
  waitSeconds: number,
  headers: Readonly<Record<string, string>>,
): Promise<HttpResult> {
  const deadlineMs = performance.now() + 1000 * waitSeconds;
  for (;;) {
    const file = await find();
    if (file.type === 'ready') {
      return { statusCode: 302, headers: { location: `/${file.key}`, ...headers } };
    }
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) return answerWaiting(file.progress);
    await pause(Math.min(POLL_MS, leftMs));
  }
}

/** One second in caches joins the requests of many viewers. */
const answerWaiting = (progress: number): HttpResult =>
  json(
    202,
    { ready: false, progress, retryAfterSeconds: RETRY_AFTER_SECONDS } satisfies FileProgress,
    { 'retry-after': String(RETRY_AFTER_SECONDS), 'cache-control': 'public, max-age=1' },
  );
