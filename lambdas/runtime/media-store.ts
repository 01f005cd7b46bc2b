/** The media store of a function. S3's client is the largest of all, so that no cold start waits for it. */

import type { MediaStore } from '../../lib/ports/ports.ts';
import { afterStart } from './after-start.ts';
import { clock, config } from './ports.ts';

export function mediaStore(): MediaStore {
  const store = afterStart(async () => {
    const { S3MediaStore } = await import('../../lib/aws/s3-media-store.ts');
    return new S3MediaStore(config.connection, { bucket: config.bucket, clock });
  });
  return {
    put: async (...object) => (await store).put(...object),
    putFile: async (...files) => (await store).putFile(...files),
    get: async (...part) => (await store).get(...part),
    head: async (key) => (await store).head(key),
    list: async (prefix, range) => (await store).list(prefix, range),
    delete: async (keys) => (await store).delete(keys),
    presignPut: async (...upload) => (await store).presignPut(...upload),
    multipart: {
      begin: async (terms) => (await store).multipart.begin(terms),
      presignPart: async (...part) => (await store).multipart.presignPart(...part),
      list: async (upload) => (await store).multipart.list(upload),
      complete: async (upload) => (await store).multipart.complete(upload),
      abort: async (upload) => (await store).multipart.abort(upload),
    },
  };
}
