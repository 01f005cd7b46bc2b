/** Bodies of requests: how much of them is in memory, and that they come at a fair rate. */

import type { IncomingMessage } from 'node:http';
import { DomainError } from '../domain/errors.ts';
import type { GatewayLimits } from './gateway-limits.ts';

/** What a body without a declared length takes at first. */
const UNDECLARED_BYTES = 64 * 1024;
const RATE_CHECKS = 4;

/** Bytes of all bodies that are in memory, or will be. */
export class BodyMemory {
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Throws `unavailable` if others take all of it. */
  begin(declaredBytes: number | undefined): BodyShare {
    const bytes = declaredBytes ?? UNDECLARED_BYTES;
    if (this.#usedBytes + bytes > this.#limitBytes) {
      throw new DomainError(
        'unavailable',
        'The server is receiving as many uploads as its memory holds.',
        'Send it again in a second.',
      );
    }
    let shareBytes = bytes;
    this.#usedBytes += bytes;
    return {
      grownTo: (sizeBytes) => {
        this.#usedBytes += Math.max(0, sizeBytes - shareBytes);
        shareBytes = Math.max(shareBytes, sizeBytes);
      },
      end: () => {
        this.#usedBytes -= shareBytes;
        shareBytes = 0;
      },
    };
  }
}

export type BodyShare = Readonly<{
  /** One that has begun is never refused. */
  grownTo(sizeBytes: number): void;
  end(): void;
}>;

export type RateLimits = Pick<GatewayLimits, 'minBytesPerSecond' | 'rateGraceMs'>;

/** Calls `onTooSlow` when less has come than the minimum rate asks for. Returns what ends it. */
export function watchRate(
  limits: RateLimits,
  receivedBytes: () => number,
  onTooSlow: (error: DomainError) => void,
): () => void {
  const { minBytesPerSecond, rateGraceMs } = limits;
  const startMs = performance.now();
  const timer = setInterval(() => {
    const lateMs = performance.now() - startMs - rateGraceMs;
    if (lateMs < 0 || receivedBytes() > (lateMs / 1000) * minBytesPerSecond) return;
    clearInterval(timer);
    onTooSlow(tooSlow(receivedBytes(), minBytesPerSecond));
  }, rateGraceMs / RATE_CHECKS);
  timer.unref();
  return () => clearInterval(timer);
}

export type BodyReading = Readonly<{
  /** Rejects with `too_large`, `request_timeout`, or the error of a connection that broke off. */
  body: Promise<Buffer>;
  /** Leaves what still comes to others. */
  stop(): void;
}>;

/**
 * Begins at once: a client that closes its side after the last byte, as ffmpeg does, loses what was not
 * read by then.
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  rate: RateLimits,
  share: BodyShare,
): BodyReading {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let stop = () => {};
  const body = new Promise<Buffer>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) return fail(bodyTooLarge(limitBytes));
      chunks.push(chunk);
      share.grownTo(sizeBytes);
    };
    const onEnd = () => {
      stop();
      resolve(Buffer.concat(chunks, sizeBytes));
    };
    const fail = (error: Error) => {
      stop();
      chunks.length = 0;
      reject(error);
    };
    const onClose = () => fail(cutOff());
    const unwatch = watchRate(rate, () => sizeBytes, fail);
    stop = () => {
      unwatch();
      request.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
    };
    request.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose);
  });
  // Whoever stops it does not wait for it.
  body.catch(() => undefined);
  return { body, stop: () => stop() };
}

/** The body as it comes, for what is not kept in memory. Throws like `readBody`. */
export async function* streamBody(
  request: IncomingMessage,
  rate: RateLimits,
): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  let slow: DomainError | undefined;
  const unwatch = watchRate(
    rate,
    () => sizeBytes,
    (error) => {
      slow = error;
      request.destroy(error);
    },
  );
  try {
    // Not destroyed on an early return: the socket is still needed for the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      sizeBytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw slow ?? error;
  } finally {
    unwatch();
  }
}

export const bodyTooLarge = (limitBytes: number): DomainError =>
  new DomainError(
    'too_large',
    `The body has more than ${limitBytes} bytes.`,
    'Announce large segments: POST /upload/{videoId}?size=N&digest=SHA256 without a body, ' +
      'then PUT the bytes to the url of the answer.',
  );

const cutOff = (): Error =>
  Object.assign(new Error('The connection ended before the body.'), { code: 'ECONNRESET' });

const tooSlow = (bytes: number, minBytesPerSecond: number): DomainError =>
  new DomainError(
    'request_timeout',
    `Only ${bytes} bytes of the body have come, fewer than ${minBytesPerSecond} in a second.`,
    'Send it over a faster line, or send smaller segments.',
  );
