import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { acceptedTypes } from '../../lib/domain/accept.ts';
import { NORMAL_ACCEPT } from '../../lib/infra/accept-at-edge.ts';

type Value = Readonly<{ value: string }>;
type EdgeRequest = { headers: { accept?: Value }; querystring: Readonly<Record<string, Value>> };

const handler = runInNewContext(`(${NORMAL_ACCEPT})`) as (
  event: Readonly<{ request: EdgeRequest }>,
) => EdgeRequest;

function normalized(accept: string | undefined, query: EdgeRequest['querystring'] = {}) {
  const headers = accept === undefined ? {} : { accept: { value: accept } };
  return handler({ request: { headers, querystring: query } }).headers.accept?.value;
}

const TYPES = ['video/mp4', 'video/webm', 'video/quicktime', 'video/mp2t'];

describe('the Accept header at the edge', () => {
  test('is the same for all browsers and players, so that they share the cache', () => {
    for (const [accept, value] of [
      [undefined, '*/*'],
      ['', '*/*'],
      ['*/*', '*/*'],
      ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', '*/*'],
      ['video/mp4', 'video/mp4'],
      ['VIDEO/MP4 ; q=0.3', 'video/mp4'],
      ['video/webm,video/ogg,video/*;q=0.9,*/*;q=0.5', '*/*;q=0.5,video/*;q=0.9,video/webm'],
      ['image/png, application/json', 'none/none'],
    ] as const) {
      assert.equal(normalized(accept), value, accept);
    }
    assert.equal(normalized('image/png', { format: { value: 'ts' } }), '*/*', 'it does not count');
  });

  test('is answered as the one that the client sent', () => {
    const range = fc.constantFrom(
      ...TYPES,
      'video/*',
      '*/*',
      'image/*',
      'Video/WebM',
      'video/ogg',
      '',
    );
    const weight = fc.constantFrom(
      '',
      ';q=0',
      ';q=0.5',
      '; Q=0.25',
      ';q=1.000',
      ';codecs="x";q=0.7',
      ';q=2',
    );
    const item = fc.tuple(range, weight).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 8 }).map((items) => items.join(', ')),
        (accept) => {
          assert.deepEqual(acceptedTypes(normalized(accept), TYPES), acceptedTypes(accept, TYPES));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
