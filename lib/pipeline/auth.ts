/** Authentication: the owner key and the upload keys. Stored as sha-256, compared in constant time. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../domain/errors.ts';
import { defaultSettings, type Stream } from '../domain/stream.ts';
import type { Deps } from './deps.ts';
import type { Versioned } from './records/record-types.ts';

export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** 160 bits, without characters that URLs or shells would touch. */
export const makeKey = (): string => randomBytes(20).toString('hex');

export type Credential = Readonly<{ scheme: 'bearer' | 'basic'; key: string }>;

/**
 * The key in an Authorization header: `Bearer KEY`, or the password of `Basic`. undefined: there is no
 * such header, or it is malformed.
 */
export function credentialOf(authorization: string | undefined): Credential | undefined {
  const [name, value, ...more] = authorization?.trim().split(/\s+/, 3) ?? [];
  const scheme = name?.toLowerCase();
  if (!value || more.length > 0) return undefined;
  if (scheme === 'bearer') return { scheme, key: value };
  if (scheme !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const key = pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : '';
  return key === '' ? undefined : { scheme, key };
}

const matches = (key: string, hash: string): boolean =>
  timingSafeEqual(Buffer.from(hashKey(key), 'hex'), Buffer.from(hash, 'hex'));

const KEY_HINT =
  'Send the key as "Authorization: Bearer KEY", or as the password in the URL: https://x:KEY@host/…';

export const isOwner = (deps: Deps, key: string | undefined): boolean =>
  key !== undefined && matches(key, deps.ownerKeyHash);

/** Throws `unauthorized` if there is none. */
export function requireKey(key: string | undefined): string {
  if (key !== undefined) return key;
  throw new DomainError('unauthorized', 'The key is missing.', KEY_HINT);
}

export function requireOwner(deps: Deps, key: string | undefined): void {
  requireKey(key);
  if (!isOwner(deps, key)) {
    throw new DomainError(
      'forbidden',
      'This is not the owner key.',
      `${KEY_HINT}; the start prints it.`,
    );
  }
}

/**
 * The stream that this key may upload to. For the owner a stream that does not exist yet is one with
 * default settings and version 0: what is accepted first creates it (`ensureStream`). Throws
 * `forbidden`, and alike for a stream that does not exist and for another stream's key.
 */
export async function openForUpload(
  deps: Deps,
  videoId: string,
  key: string,
): Promise<Versioned<Stream>> {
  const { records } = deps;
  const found = await records.findStream(videoId);
  const owner = isOwner(deps, key);
  const { uploadKeyHash } = found?.value ?? {};
  if (!owner && !(uploadKeyHash && matches(key, uploadKeyHash))) {
    throw new DomainError(
      'forbidden',
      `This key does not open stream "${videoId}".`,
      `${KEY_HINT}; it is the owner key, or the upload key of a stream that exists.`,
    );
  }
  const made = newStream(videoId, deps.clock.now(), deps.streamDefaults);
  return found ?? { value: made, version: 0 };
}

/**
 * The stream that something accepted belongs to: creates it if it has version 0. If another request
 * created it meanwhile, the answer is that one, whose `uid` is another.
 */
export async function ensureStream(
  deps: Deps,
  stream: Versioned<Stream>,
): Promise<Versioned<Stream>> {
  if (stream.version > 0) return stream;
  if (await deps.records.createStream(stream.value)) return { ...stream, version: 1 };
  return getStream(deps, stream.value.videoId);
}

export const newStream = (
  videoId: string,
  nowMs: number,
  defaults: Deps['streamDefaults'] = {},
): Stream => ({
  videoId,
  uid: `${nowMs.toString(36)}${randomBytes(3).toString('hex')}`,
  settings: { ...defaultSettings(videoId), ...defaults },
  createdAtMs: nowMs,
});

export async function getStream(deps: Deps, videoId: string): Promise<Versioned<Stream>> {
  const found = await deps.records.findStream(videoId);
  if (found) return found;
  throw new DomainError(
    'stream_not_found',
    `There is no stream "${videoId}".`,
    'Check the id; streams appear when they are created or when their first segment comes.',
  );
}
