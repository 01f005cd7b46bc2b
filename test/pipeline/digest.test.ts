import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestInPieces, digestOf } from '../../lib/pipeline/digest.ts';

const MB = 1 << 20;

describe('the digest of a large upload', () => {
  test('is that of its bytes, however many pieces they have', async () => {
    for (const size of [0, 1, 4 * MB - 1, 4 * MB, 4 * MB + 1, 9 * MB]) {
      const bytes = new Uint8Array(size).map((_, index) => index * 7);
      assert.equal(await digestInPieces(bytes), digestOf(bytes), String(size));
    }
  });

  test('lets others be served meanwhile', async () => {
    const events: string[] = [];
    const digest = digestInPieces(new Uint8Array(40 * MB)).then(() => events.push('digest'));
    for (const name of ['a', 'b', 'c']) {
      await new Promise((resolve) => setImmediate(resolve));
      events.push(name);
    }
    await digest;
    assert.deepEqual(events, ['a', 'b', 'c', 'digest']);
  });
});
