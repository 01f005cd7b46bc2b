/** Reads the beginning of a stream that can be read only once. */

import { Readable } from 'node:stream';

export type StreamHead = Readonly<{
  head: Uint8Array;
  /** The whole stream, `head` included. */
  whole: Readable;
}>;

/** Reads until `maxBytes` have come, the stream has ended, or `maxMs` have passed since the first byte. */
export async function readHead(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
  maxMs: number,
): Promise<StreamHead> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let pending = iterator.next();
  let timeout: Promise<'late'> | undefined;
  let timer: NodeJS.Timeout | undefined;
  while (size < maxBytes) {
    const result = await (timeout ? Promise.race([pending, timeout]) : pending);
    if (result === 'late' || result.done) break;
    chunks.push(result.value);
    size += result.value.length;
    pending = iterator.next();
    timeout ??= new Promise((resolve) => {
      timer = setTimeout(resolve, maxMs, 'late');
    });
  }
  clearTimeout(timer);

  async function* all(): AsyncGenerator<Uint8Array> {
    yield* chunks;
    for (let result = await pending; !result.done; result = await iterator.next())
      yield result.value;
  }
  return { head: Buffer.concat(chunks), whole: Readable.from(all(), { objectMode: false }) };
}
