import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { QueueSpec } from '../../lib/ports/queues.ts';
import { HOUR_MS, LEASE_MS, take, testQueues } from './test-queues.ts';

/** Shorter than a lease. */
const DELAY_MS = 12_000;

type Way = 'the same process' | 'a new process';

/** A clock that is an hour ahead, and what was sent by it; then the clock is set right. */
async function setUp(t: TestContext, way: Way, groups: QueueSpec['groups']) {
  const { clock, open } = await testQueues(t);
  const ahead = open({ groups });
  const message = (body: string, delayMs = 0) => ({
    body,
    delayMs,
    ...(groups && { group: body }),
  });
  const setBack = () => {
    clock.nowMs -= HOUR_MS;
    return way === 'a new process' ? open({ groups }) : ahead;
  };
  return { clock, ahead, message, setBack };
}

const bodies = async (queue: Parameters<typeof take>[0]) =>
  (await take(queue, 10)).map(({ body }) => body);

for (const way of ['the same process', 'a new process'] as const) {
  for (const groups of [undefined, 'fair', 'ordered'] as const) {
    const kind = groups ? `a queue with ${groups} groups` : 'a queue without groups';

    describe(`when the clock was set back, for ${way}, ${kind}`, () => {
      test('delivers at once what was sent without a delay', async (t) => {
        const { ahead, message, setBack } = await setUp(t, way, groups);
        await ahead.send([message('now')]);
        assert.deepEqual(await bodies(setBack()), ['now']);
      });

      test('delivers a leased message when its lease would have run out', async (t) => {
        const { clock, ahead, message, setBack } = await setUp(t, way, groups);
        await ahead.send([message('leased')]);
        assert.deepEqual(await bodies(ahead), ['leased']);
        const queue = setBack();
        assert.deepEqual(await bodies(queue), []);
        assert.equal((await queue.depth()).inFlight, 1);
        clock.nowMs += LEASE_MS - 1;
        assert.deepEqual(await bodies(queue), []);
        clock.nowMs += 1;
        assert.deepEqual(await bodies(queue), ['leased']);
      });

      test('leaves a lease with its holder, who can extend it and end it', async (t) => {
        const { clock, ahead, message, setBack } = await setUp(t, way, groups);
        await ahead.send([message('leased')]);
        const [held] = await take(ahead);
        const queue = setBack();
        assert.deepEqual(await bodies(queue), []);
        clock.nowMs += LEASE_MS - 1;
        assert.equal(await ahead.extend(held?.receipt ?? '', LEASE_MS), true);
        clock.nowMs += LEASE_MS - 1;
        assert.deepEqual(await bodies(queue), []);
        await ahead.acknowledge([held?.receipt ?? '']);
        assert.deepEqual(await queue.depth(), { ready: 0, inFlight: 0, delayed: 0 });
      });

      test('delivers a message that was given back for later after that delay', async (t) => {
        const { clock, ahead, message, setBack } = await setUp(t, way, groups);
        await ahead.send([message('again')]);
        const [failed] = await take(ahead);
        await ahead.release(failed?.receipt ?? '', DELAY_MS);
        const queue = setBack();
        assert.deepEqual(await bodies(queue), []);
        clock.nowMs += DELAY_MS;
        assert.deepEqual(await bodies(queue), ['again']);
      });

      if (groups === 'ordered') return;
      test('delivers a delayed message after its own delay', async (t) => {
        const { clock, ahead, message, setBack } = await setUp(t, way, groups);
        await ahead.send([message('later', DELAY_MS), message('at last', 2 * DELAY_MS)]);
        clock.nowMs += DELAY_MS / 2;
        const queue = setBack();
        assert.deepEqual(await bodies(queue), []);
        assert.equal((await queue.depth()).delayed, 2);
        clock.nowMs += DELAY_MS;
        assert.deepEqual(await bodies(queue), ['later']);
        clock.nowMs += DELAY_MS;
        assert.deepEqual(await bodies(queue), ['at last']);
      });
    });
  }
}

test('a clock that goes on without a step changes no delay, for new processes either', async (t) => {
  const { clock, open } = await testQueues(t);
  await open().send([{ body: 'later', delayMs: DELAY_MS }]);
  for (let step = 0; step < 3; step += 1) {
    clock.nowMs += DELAY_MS / 3 - 1;
    assert.deepEqual(await bodies(open()), []);
  }
  clock.nowMs += 3;
  assert.deepEqual(await bodies(open()), ['later']);
});
