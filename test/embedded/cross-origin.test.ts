import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gateway } from '../../lib/embedded/gateway.ts';

test('players of any origin may send what they say of their playback, and what caches ask', async (t) => {
  const gateway = new Gateway({ routes: [], report: () => {} });
  const { port } = await gateway.listen(0, '127.0.0.1');
  t.after(() => gateway.close(0));
  const asked =
    'cache-control,cmcd-object,cmcd-session,if-none-match,pragma,range,x-playback-session-id';
  const headers = { origin: 'https://player.example', 'access-control-request-headers': asked };
  const answer = await fetch(`http://127.0.0.1:${port}/media/x.m4s`, {
    method: 'OPTIONS',
    headers,
  });
  const allowed = (answer.headers.get('access-control-allow-headers') ?? '').split(',');
  assert.deepEqual(
    asked.split(',').filter((name) => !allowed.includes(name)),
    [],
  );
  assert.ok(!allowed.includes('x-other'));
  assert.equal(answer.headers.get('access-control-max-age'), '7200');
});
