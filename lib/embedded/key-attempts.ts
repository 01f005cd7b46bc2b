/** Slows down who tries wrong keys, without locking out who has a right one from the same address. */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '../domain/errors.ts';

/** A wrong key that is new to its address is a guess; one that is repeated is a mistaken setting. */
const GUESS_POINTS = 10;
const REPEATED_POINTS = 0.5;
/** Ten guesses, or 200 repetitions, at once. */
const FREE_POINTS = 100;
/** One point a second goes; no address waits longer than a minute for the next one. */
const MAX_POINTS = FREE_POINTS + 60;

/** Keys of a suspicious address that were not right there before are looked at so much later … */
const DELAY_MS = 1000;
/** … and only so many at once. */
const WAITING = 8;

const CLIENTS = 4096;
const KEYS_OF_A_CLIENT = 16;

type Client = {
  points: number;
  atMs: number;
  waiting: number;
  readonly wrong: Set<string>;
  readonly right: Set<string>;
};

export type KeyAttemptsOptions = Readonly<{
  nowMs?: () => number;
  pause?: (ms: number) => Promise<unknown>;
}>;

export class TooManyAttempts extends DomainError {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(
      'too_many_attempts',
      'Too many wrong keys came from your address.',
      `Check the key, and try again in ${retryAfterSeconds} s; a right key is taken meanwhile, too.`,
    );
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export class KeyAttempts {
  readonly #options: Required<KeyAttemptsOptions>;
  /** Those that were heard of longest ago first; they are forgotten first. */
  readonly #clients = new Map<string, Client>();

  constructor(options: KeyAttemptsOptions = {}) {
    this.#options = { nowMs: () => performance.now(), pause: (ms) => sleep(ms), ...options };
  }

  /**
   * Before a key is looked at; it may take a second. Keys that were right for this address pass at once.
   * Throws TooManyAttempts if too many wait already.
   */
  async begin(address: string, key: string): Promise<void> {
    const client = this.#clients.get(address);
    if (!client || client.right.has(shortHash(key))) return;
    if (this.#pointsOf(client) < FREE_POINTS) return;
    if (client.waiting >= WAITING) throw this.#refusal(client);
    client.waiting += 1;
    await this.#options.pause(DELAY_MS);
    client.waiting -= 1;
  }

  right(address: string, key: string): void {
    remember(this.#client(address).right, shortHash(key));
  }

  /** Throws TooManyAttempts from the eleventh guess on. */
  wrong(address: string, key: string): void {
    const client = this.#client(address);
    const hash = shortHash(key);
    const points = this.#pointsOf(client);
    client.points = points + (client.wrong.has(hash) ? REPEATED_POINTS : GUESS_POINTS);
    const isOver = client.points > FREE_POINTS;
    client.points = Math.min(MAX_POINTS, client.points);
    client.right.delete(hash);
    remember(client.wrong, hash);
    if (isOver) throw this.#refusal(client);
  }

  #refusal(client: Client): TooManyAttempts {
    return new TooManyAttempts(Math.max(1, Math.ceil(this.#pointsOf(client) - FREE_POINTS)));
  }

  #client(address: string): Client {
    const known = this.#clients.get(address);
    const client = known ?? {
      points: 0,
      atMs: this.#options.nowMs(),
      waiting: 0,
      wrong: new Set(),
      right: new Set(),
    };
    this.#clients.delete(address);
    this.#clients.set(address, client);
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > CLIENTS && oldest !== undefined) this.#clients.delete(oldest);
    return client;
  }

  #pointsOf(client: Client): number {
    const nowMs = this.#options.nowMs();
    client.points = Math.max(0, client.points - (nowMs - client.atMs) / 1000);
    client.atMs = nowMs;
    return client.points;
  }
}

const shortHash = (key: string): string =>
  createHash('sha256').update(key).digest('base64url').slice(0, 16);

function remember(hashes: Set<string>, hash: string): void {
  hashes.delete(hash);
  hashes.add(hash);
  const [oldest] = hashes;
  if (hashes.size > KEYS_OF_A_CLIENT && oldest !== undefined) hashes.delete(oldest);
}
