/** How many watch each stream: distinct clients that asked for its playlists a moment ago. In memory. */

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { clientAddress } from './client-address.ts';
import type { LambdaRoute } from './gateway.ts';

/** Players ask for a live playlist once a target duration, which is ten seconds at most if nobody set it. */
const WATCHING_MS = 15_000;

/** More are not remembered; the oldest are forgotten first. */
const MAX_CLIENTS = 20_000;
const MAX_USER_AGENT = 200;

type Seen = Readonly<{ videoId: string; atMs: number }>;

export class ViewerCount {
  /** By stream and client; the one that was seen last stands last. */
  readonly #seen = new Map<string, Seen>();
  readonly #counts = new Map<string, number>();
  readonly #nowMs: () => number;

  /** The clock must never go back. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  saw(videoId: string, client: string): void {
    const name = `${videoId} ${client}`;
    this.#forget(name);
    this.#seen.set(name, { videoId, atMs: this.#nowMs() });
    this.#counts.set(videoId, this.of(videoId) + 1);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_CLIENTS && oldest !== undefined) this.#forget(oldest);
  }

  of(videoId: string): number {
    const nowMs = this.#nowMs();
    for (const [name, { atMs }] of this.#seen) {
      if (nowMs - atMs < WATCHING_MS) break;
      this.#forget(name);
    }
    return this.#counts.get(videoId) ?? 0;
  }

  #forget(name: string): void {
    const videoId = this.#seen.get(name)?.videoId;
    if (videoId === undefined) return;
    this.#seen.delete(name);
    const count = (this.#counts.get(videoId) ?? 0) - 1;
    if (count > 0) this.#counts.set(videoId, count);
    else this.#counts.delete(videoId);
  }
}

/** Two players behind one address are two if their programs differ. */
function clientOf({ headers, requestContext: { http } }: APIGatewayProxyEventV2): string {
  // The gateway appended the address of the connection to what the request said.
  const forwarded = headers['x-forwarded-for']?.split(',').slice(0, -1).join();
  const address = clientAddress({
    socket: { remoteAddress: http.sourceIp },
    headers: { 'x-forwarded-for': forwarded },
  });
  return `${address} ${(headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT)}`;
}

/**
 * The route that serves media playlists, which counts those that it answers. `ending`: of the stream's name in
 * the path; without it nobody is counted.
 */
export const countingViewers = (
  route: LambdaRoute,
  viewers: ViewerCount,
  ending = '',
): LambdaRoute => ({
  ...route,
  handler: async (event, context) => {
    const answer = await route.handler(event, context);
    const name = event.pathParameters?.videoId;
    const videoId = name?.endsWith(ending) ? name.slice(0, name.length - ending.length) : undefined;
    const { statusCode } = answer as Readonly<{ statusCode?: number }>;
    const isServed = statusCode === 200 || statusCode === 304;
    if (isServed && videoId !== undefined) {
      viewers.saw(videoId, clientOf(event));
    }
    return answer;
  },
});
