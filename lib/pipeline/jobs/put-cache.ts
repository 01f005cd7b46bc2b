/**
 * A media store that does not send again what this process has stored or found there. Each job of a
 * stream puts the same init segments: half of all PUTs, and the store takes money for refusing them.
 */

import { LRUCache } from 'lru-cache';
import type { MediaStore } from '../../ports/ports.ts';

/** Of some hundred bytes each. Init segments are asked for again and again, so they stay. */
const MAX_KEYS = 10_000;

/**
 * Right as long as no name is stored again after it was removed: retention leaves init segments alone, a
 * segment that has expired is not transcoded again, and a stream that is created again has keys of its own.
 * What another process removes meanwhile, this one takes to be there.
 */
export function cachePuts(media: MediaStore, maxKeys = MAX_KEYS): MediaStore {
  const known = new LRUCache<string, true>({ max: maxKeys });
  return {
    async put(key, bytes, contentType) {
      if (known.get(key)) return 'exists';
      const outcome = await media.put(key, bytes, contentType);
      known.set(key, true);
      return outcome;
    },
    putFile: (key, paths, contentType) => media.putFile(key, paths, contentType),
    async delete(keys) {
      for (const key of keys) known.delete(key);
      await media.delete(keys);
    },
    get: (key, range) => media.get(key, range),
    head: (key) => media.head(key),
    list: (prefix, range) => media.list(prefix, range),
    presignPut: (key, terms) => media.presignPut(key, terms),
    multipart: media.multipart,
  };
}
