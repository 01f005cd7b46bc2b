import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backoffMs, equalJitter, fullJitter, pause, retry } from '../../lib/base/retry.ts';

describe('retry', () => {
  test('the backoff doubles from its first wait up to its maximum', () => {
    const backoff = { firstMs: 100, maxMs: 1_000 };
    const waits = [1, 2, 3, 4, 5, 50].map((failures) => backoffMs(failures, backoff));
    assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
  });

  test('full jitter waits any part of the backoff, equal jitter at least half of it', () => {
    assert.deepEqual(
      [0, 0.5, 1].map((random) => fullJitter(100, () => random)),
      [0, 50, 100],
    );
    assert.deepEqual(
      [0, 0.5, 1].map((random) => equalJitter(100, () => random)),
      [50, 75, 100],
    );
  });

  test('a call is repeated while its failures may pass, and not more often than allowed', async () => {
    const passing = new Error('passing');
    const lasting = new Error('lasting');
    const run = async (failures: readonly Error[], maxAttempts: number) => {
      let attempts = 0;
      const call = async (): Promise<string> => {
        const failure = failures[attempts];
        attempts += 1;
        if (failure) throw failure;
        return 'done';
      };
      const isPassing = (error: unknown) => error === passing;
      const options = { isPassing, maxAttempts, backoff: { firstMs: 0, maxMs: 0 } };
      const result = await retry(call, options).catch((error: Error) => error.message);
      return [result, attempts];
    };
    assert.deepEqual(await run([passing, passing], 3), ['done', 3]);
    assert.deepEqual(await run([passing, passing, passing], 3), ['passing', 3]);
    assert.deepEqual(await run([passing, lasting], 3), ['lasting', 2]);
  });

  test('a pause ends when its signal is aborted, without an error', async () => {
    const stopping = new AbortController();
    const paused = pause(3_600_000, stopping.signal);
    stopping.abort();
    await paused;
    await pause(3_600_000, stopping.signal);
  });
});
