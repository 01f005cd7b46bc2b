import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../lib/api/client.ts';
import { ServerLink } from '../../lib/encoder/server-link.ts';

test('server link: a wall clock that jumps by a day does not end the retries', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000_000 });
  const said: string[] = [];
  const link = new ServerLink({
    signal: new AbortController().signal,
    retryForMs: 60_000,
    waiting: 'segments wait here',
    warn: (text) => said.push(text),
  });
  let attempts = 0;
  const answer = await link.call(async () => {
    attempts += 1;
    t.mock.timers.setTime(1_000_000_000 + attempts * 86_400_000);
    if (attempts === 3) return 'stored';
    throw new ApiError('network', 'ECONNREFUSED', 'Try again.', 0, 1);
  });
  assert.equal(answer, 'stored');
  assert.deepEqual(said.slice(0, 1), [
    'The server does not answer: ECONNREFUSED; segments wait here.',
  ]);
  assert.match(said[1] ?? '', /^The server is back after \d\.\d s\.$/);
});
