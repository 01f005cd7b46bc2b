/** Reading and writing single items, for the typed records. */

import type { RecordStore, Write } from '../../ports/ports.ts';
import type { Versioned } from './record-types.ts';

/** Of one transaction (`RecordStore.write`). */
export const MAX_WRITES = 100;

export async function find<T>(
  store: RecordStore,
  partition: string,
  sort: string,
): Promise<Versioned<T> | undefined> {
  const item = await store.get(partition, sort);
  return item && { value: item.value as T, version: item.version };
}

export const put = (
  partition: string,
  sort: string,
  value: unknown,
  expect?: number,
): Extract<Write, { type: 'put' }> => ({
  type: 'put',
  partition,
  sort,
  value,
  ...(expect === undefined ? {} : { expect }),
});
