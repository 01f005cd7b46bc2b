import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { TaskProtection } from '../../containers/worker/task-protection.ts';
import { waitFor } from '../support/system.ts';

type State = Readonly<{ ProtectionEnabled: boolean; ExpiresInMinutes?: number }>;

async function setUp(t: TestContext, answer = '{"protection":{}}') {
  const states: State[] = [];
  const reports: string[] = [];
  const server = createServer(async (request, response) => {
    states.push(JSON.parse(await text(request)));
    response.end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const protection = new TaskProtection({
    agentUrl: `http://127.0.0.1:${address.port}/api`,
    report: (error, what) => reports.push(`${what}: ${error}`),
    idleMs: 300,
  });
  t.after(() => protection.close());
  return { protection, states, reports };
}

const ON: State = { ProtectionEnabled: true, ExpiresInMinutes: 5 };
const OFF: State = { ProtectionEnabled: false };

test('a task is protected from its first job to some time after its last', async (t) => {
  const { protection, states, reports } = await setUp(t);
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  const jobs = [protection.during(() => first.promise), protection.during(() => second.promise)];
  await waitFor('protection', async () => states.length === 1);
  first.resolve('first');
  assert.equal(await jobs[0], 'first');
  second.reject(new Error('failed'));
  await assert.rejects(jobs[1] ?? Promise.resolve(), /failed/);
  await protection.during(async () => {});
  assert.deepEqual(states, [ON], 'a job that follows at once says nothing new');
  await waitFor('its end', async () => states.length === 2);
  await protection.during(async () => {});
  await protection.close();
  assert.deepEqual([states, reports], [[ON, OFF, ON], []]);
});

test('a job of a task that cannot be protected is done all the same', async (t) => {
  const refusal = '{"failure":{"Reason":"DEPLOYMENT_BLOCKED","Detail":"by the test"}}';
  const { protection, states, reports } = await setUp(t, refusal);
  assert.equal(await protection.during(async () => 'done'), 'done');
  await protection.close();
  assert.deepEqual(states, [ON]);
  assert.match(reports.join(), /protecting the task: Error: 200 .*DEPLOYMENT_BLOCKED/);
});

test('a long job keeps its protection', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { protection, states } = await setUp(t);
  const job = Promise.withResolvers<void>();
  const done = protection.during(() => job.promise);
  for (let minutes = 0; minutes < 10; minutes += 2) t.mock.timers.tick(2 * 60_000);
  await waitFor('renewals', async () => states.length === 6);
  assert.deepEqual(states, Array(6).fill(ON));
  job.resolve();
  await done;
});
