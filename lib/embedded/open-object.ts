/** An object or a file that is sent to a client: its properties, then the range that was asked for. */

import { Readable } from 'node:stream';
import type { ByteRange, MediaStore, ObjectInfo } from '../ports/ports.ts';
import { isObjectKey } from './object-key.ts';

export type OpenObject = ObjectInfo &
  Readonly<{
    /** Unknown of objects in stores elsewhere. */
    modifiedMs?: number;
    /** To be called once; closes the object when the stream ends. */
    stream(range?: ByteRange): Readable;
    close(): Promise<void>;
  }>;

/** Opens the object of a key; undefined if there is none. */
export type ObjectOpener = Readonly<{ openObject(key: string): Promise<OpenObject | undefined> }>;

/** Of any engine's store. The bytes are fetched when they are read. */
export const openerOf = (store: MediaStore): ObjectOpener => ({
  async openObject(key) {
    const found = isObjectKey(key) ? await store.head(key) : undefined;
    if (!found) return undefined;
    return {
      ...found,
      stream: (range) => Readable.from(fetched(store, key, range)),
      close: async () => {},
    };
  },
});

async function* fetched(store: MediaStore, key: string, range?: ByteRange) {
  const bytes = await store.get(key, range);
  if (!bytes) throw new Error(`The object ${key} was deleted while it was read.`);
  yield bytes;
}
