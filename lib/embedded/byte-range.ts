/** The Range header with one byte range (RFC 9110, 14.2). */

import type { ByteRange } from '../ports/ports.ts';

/**
 * 'whole' if there is no range, more than one, or one that is not understood: a server may then
 * send everything. 'unsatisfiable' asks for 416.
 */
export function parseByteRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'whole' | 'unsatisfiable' {
  const match = header?.match(/^bytes=\s*(\d*)-(\d*)\s*$/i);
  if (!match) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0
      ? 'unsatisfiable'
      : { start: sizeBytes - length, endInclusive: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'whole';
  if (start >= sizeBytes) return 'unsatisfiable';
  const endInclusive = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return { start, endInclusive };
}
