/** Authentication: the owner key and the upload keys. Stored as sha-256, compared in constant time. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DomainError } from '../domain/errors.ts';
import { defaultSettings, type Stream } from '../domain/stream.ts';
import type { Deps } from './deps.ts';
import type { Versioned } from './records/record-types.ts';

export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex');

/** 160 bits, without characters that URLs or shells would touch. */
export const makeKey = (): string => randomBytes(20).toString('hex');

/** The key in an Authorization header: `Bearer KEY`, or the password of `Basic`. */
export function credentialOf(authorization: string | undefined): string | undefined {
  const [scheme, value] = authorization?.trim().split(/\s+/, 2) ?? [];
  if (!scheme || !value) return undefined;
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined;
}

const matches = (key: string, hash: string): boolean =>
  timingSafeEqual(Buffer.from(hashKey(key), 'hex'), Buffer.from(hash, 'hex'));

const KEY_HINT =
  'Send the key as "Authorization: Bearer KEY", or as the password in the URL: https://x:KEY@host/…';

export const isOwner = (deps: Deps, key: string | undefined): boolean =>
  key !== undefined && matches(key, deps.ownerKeyHash);

export function requireOwner(deps: Deps, key: string | undefined): void {
  if (key === undefined)
    throw new DomainError('unauthorized', 'The owner key is missing.', KEY_HINT);
  if (!isOwner(deps, key)) {
    throw new DomainError(
      'forbidden',
      'This is not the owner key.',
      `${KEY_HINT}; the start prints it.`,
    );
  }
}

/** The stream that this key may upload to. The owner's key creates it with defaults. */
export async function openForUpload(
  deps: Deps,
  videoId: string,
  key: string | undefined,
): Promise<Versioned<Stream>> {
  if (key === undefined) throw new DomainError('unauthorized', 'The key is missing.', KEY_HINT);
  const { records } = deps;
  const found = await records.findStream(videoId);
  const owner = isOwner(deps, key);
  if (found) {
    const { uploadKeyHash } = found.value;
    if (owner || (uploadKeyHash && matches(key, uploadKeyHash))) return found;
    throw new DomainError('forbidden', `This key is not for stream "${videoId}".`, KEY_HINT);
  }
  if (!owner) {
    throw new DomainError(
      'stream_not_found',
      `There is no stream "${videoId}".`,
      `Create it with PUT /streams/${videoId}, or upload with the owner key, which creates it.`,
    );
  }
  await records.createStream(newStream(videoId, deps.clock.now(), deps.streamDefaults));
  return getStream(deps, videoId);
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
