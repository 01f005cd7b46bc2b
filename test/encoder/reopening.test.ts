import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, captureUntilEnd } from '../../lib/encoder/reopening.ts';
import { SourceWait } from '../../lib/encoder/source-wait.ts';

type Step = Partial<Connection> & Readonly<{ tookSeconds: number }>;

/** A source whose connections go as told, on a clock that the test moves. */
async function run(
  durationSeconds: number | undefined,
  steps: readonly Step[],
  restartable = true,
) {
  const stop = new AbortController();
  const asked: number[] = [];
  let nowMs = 0;
  const now = (): number => nowMs;
  const wait = new SourceWait({ name: 'cam', listens: false, warn: () => 0, now, random: () => 0 });
  const failure = await captureUntilEnd({
    restartable,
    durationSeconds,
    stop: stop.signal,
    wait,
    now,
    async connect(remaining) {
      const step = steps[asked.length];
      if (!step) stop.abort();
      asked.push(Number(remaining.toFixed(3)));
      nowMs += (step?.tookSeconds ?? 0) * 1000;
      return { segments: step?.seconds ? 1 : 0, seconds: 0, reached: false, ...step };
    },
  });
  return { asked, failure };
}

test('reopening: a source is opened for what is left, and not when less than half a second is left', async () => {
  const steps = [
    { tookSeconds: 7, seconds: 6 },
    { tookSeconds: 6, seconds: 5.6 },
  ];
  assert.deepEqual(await run(12, steps), { asked: [12, 6], failure: undefined });
});

test('reopening: the time without a camera counts, so that the encoder ends when it was told to', async () => {
  const gone = { tookSeconds: 4, failure: 'connection refused' };
  const { asked, failure } = await run(12, [{ tookSeconds: 4, seconds: 4 }, gone, gone, gone]);
  assert.deepEqual([asked, failure], [[12, 8, 4], undefined]);
  assert.deepEqual(await run(6, [gone, gone]), {
    asked: [6, 2],
    failure: 'no media came in 6 s (connection refused)',
  });
});

test('reopening: it ends when a connection was cut off where it was to end, however much media that was', async () => {
  assert.deepEqual(await run(12, [{ tookSeconds: 12, seconds: 11.2, reached: true }]), {
    asked: [12],
    failure: undefined,
  });
});

test('reopening: a refusal at first is final, and one of a camera that was there is waited out', async () => {
  const refusal = { tookSeconds: 1, failure: 'it refused: 401 Unauthorized' };
  assert.deepEqual((await run(undefined, [refusal])).failure, 'it refused: 401 Unauthorized');
  const later = await run(undefined, [{ tookSeconds: 5, seconds: 5 }, refusal]);
  assert.deepEqual([later.asked.length, later.failure], [3, undefined]);
  const once = await run(undefined, [{ tookSeconds: 5, seconds: 5, failure: 'gone' }], false);
  assert.deepEqual(once.failure, 'gone');
});
