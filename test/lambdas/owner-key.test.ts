import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { QUEUE_NAMES, queueVariable } from '../../lib/ports/queues.ts';

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

test('owner key: the secret is read at the start, and again after five minutes', async (t) => {
  let key = 'the first key';
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const { SecretId } = (await json(request)) as { SecretId: string };
    asked.push(SecretId);
    response.end(JSON.stringify({ SecretString: key }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const queue = 'https://sqs.example.com/1/queue';
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    RIVULET_BUCKET: 'bucket',
    RIVULET_TABLE: 'table',
    ...Object.fromEntries(QUEUE_NAMES.map((name) => [queueVariable(name), queue])),
    RIVULET_OWNER_KEY_SECRET: 'arn:of-the-secret',
  });
  const { ownerKeyFromSecret } = await import('../../lambdas/runtime/owner-key.ts');
  const { functionDeps } = await import('../../lambdas/runtime/ports.ts');
  const startMs = Date.now();
  const clock = t.mock.method(Date, 'now', () => startMs);

  const ownerKey = ownerKeyFromSecret();
  const deps = functionDeps({ ownerKey });
  assert.throws(() => deps.ownerKeyHash, /not read yet/);
  await ownerKey.refresh();
  assert.equal(deps.ownerKeyHash, hashOf('the first key'));
  assert.deepEqual(asked, ['arn:of-the-secret']);

  key = 'the second key';
  clock.mock.mockImplementation(() => startMs + 299_000);
  await ownerKey.refresh();
  assert.equal(deps.ownerKeyHash, hashOf('the first key'));
  clock.mock.mockImplementation(() => startMs + 300_000);
  await ownerKey.refresh();
  assert.equal(deps.ownerKeyHash, hashOf('the second key'));
  assert.equal(asked.length, 2);

  assert.throws(() => deps.media.get('key'), /given no media store/);
});
