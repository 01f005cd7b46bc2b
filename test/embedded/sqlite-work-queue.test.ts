import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, LEASE_MS, testQueues } from './test-queues.ts';

test('the SQLite work queue: a message that becomes available just while a receiver looks is not overslept', {
  timeout: 60_000,
}, async (t) => {
  const { clock, open } = await testQueues(t);
  // Each look at the clock takes a millisecond, so that one of these delays ends between any two.
  const ticking = { now: () => clock.nowMs++ };
  for (let delayMs = 1; delayMs <= 12; delayMs += 1) {
    const queue = open({ name: `jobs-${delayMs}`, clock: ticking, fallbackPollMs: HOUR_MS });
    await queue.send([{ body: 'later', delayMs }]);
    const received = await queue.receive({ max: 1, waitMs: HOUR_MS, leaseMs: LEASE_MS });
    assert.deepEqual(
      received.map(({ body }) => body),
      ['later'],
      `a delay of ${delayMs} ms`,
    );
  }
});
