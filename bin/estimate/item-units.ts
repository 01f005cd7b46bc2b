/**
 * Request units of DynamoDB's on-demand mode, for items as the AWS engine stores them: reads are
 * consistent; a write of several items, or a conditional deletion, is a transaction.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */

import type { Write } from '../../lib/ports/ports.ts';

const READ_UNIT_BYTES = 4096;
const WRITE_UNIT_BYTES = 1024;
const TRANSACTION_FACTOR = 2;

/** Names of the attributes, the version as a number, and the name of the write: a UUID. */
const FIXED_BYTES =
  'pk'.length + 'sk'.length + 'version'.length + 3 + 'value'.length + 'write'.length + 36;

export const itemBytes = (partition: string, sort: string, value: unknown): number =>
  FIXED_BYTES +
  Buffer.byteLength(partition) +
  Buffer.byteLength(sort) +
  Buffer.byteLength(JSON.stringify(value) ?? '');

/** Of one GetItem, or of one Query by the total size of its items. */
export const readUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES));

export const writeBytes = (write: Write): number =>
  write.type === 'put' ? itemBytes(write.partition, write.sort, write.value) : 0;

/** Writes whose condition fails are billed as well. */
export function writeUnits(writes: readonly Write[]): number {
  const [first] = writes;
  const isTransaction =
    writes.length > 1 || (first?.type === 'delete' && first.expect !== undefined);
  const units = writes.reduce(
    (sum, write) => sum + Math.max(1, Math.ceil(writeBytes(write) / WRITE_UNIT_BYTES)),
    0,
  );
  return units * (isTransaction ? TRANSACTION_FACTOR : 1);
}
