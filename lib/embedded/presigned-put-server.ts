/** Takes the bytes of presigned uploads, as S3 does on AWS. */

import { DomainError } from '../domain/errors.ts';
import type { Clock, WorkQueue } from '../ports/ports.ts';
import type { FileMediaStore } from './file-media-store.ts';
import type { Mount } from './gateway.ts';
import type { HttpExchange } from './http-exchange.ts';
import { isObjectKey } from './object-key.ts';
import { PRESIGNED_PATH, type PresignedTerms, readPresigned } from './presigned-put.ts';

export type PresignedPutServerOptions = Readonly<{
  store: FileMediaStore;
  signingKey: Uint8Array;
  /** Receives `{ key }` of each object before its client is answered. */
  uploadCompleted: WorkQueue;
  clock: Clock;
}>;

/** 201 when stored now; 200 for an object that was there before, which then stays as it is, and for a part. */
export const presignedPutServer = ({
  store,
  signingKey,
  uploadCompleted,
  clock,
}: PresignedPutServerOptions): Mount => ({
  prefix: PRESIGNED_PATH,
  methods: ['PUT'],
  serve: async (exchange) => {
    const key = decodeURIComponent(exchange.path.slice(PRESIGNED_PATH.length));
    const query = new URLSearchParams(exchange.queryString);
    const terms = readPresigned(signingKey, key, query, clock.now());
    checkRequest(exchange, terms);
    if (terms.part) {
      await store.multipart.putPart(terms.part, exchange.body(), terms.sizeBytes);
      exchange.answerJson(200, { part: terms.part.number });
      return;
    }
    const outcome = await store.putStream(key, exchange.body(), terms.contentType, terms);
    // Also for an object that was there: the process that stored it may have died before this line.
    await uploadCompleted.send([{ body: JSON.stringify({ key }) }]);
    exchange.answerJson(outcome === 'stored' ? 201 : 200, { key });
  },
});

/** What can be refused before the body is sent. */
function checkRequest({ request, declaredBytes }: HttpExchange, terms: PresignedTerms): void {
  if (!isObjectKey(terms.key)) {
    throw new DomainError('bad_name', 'This is not an object key.', 'Use the url as given.');
  }
  if (request.headers['content-type'] !== terms.contentType) {
    throw new DomainError(
      'forbidden',
      `The url is for content of type ${terms.contentType}.`,
      'Send the headers that came with the url.',
    );
  }
  if (declaredBytes !== undefined && declaredBytes !== terms.sizeBytes) {
    throw new DomainError(
      'size_mismatch',
      `The url is for ${terms.sizeBytes} bytes, the request announces ${declaredBytes}.`,
      'Send exactly the announced bytes, or announce the segment again.',
    );
  }
}
