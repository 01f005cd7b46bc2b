import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from 'aws-lambda';
import { listStreamsHandler } from '../../lambdas/api/streams.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import type { StreamView } from '../../lib/api/messages.ts';
import { putStream } from '../../lib/pipeline/streams.ts';
import { OWNER_KEY, testEngine } from '../support/engine.ts';

test('GET /streams shows what is listed to everybody, all to the owner, and nothing to a wrong key', async (t) => {
  const { deps } = await testEngine(t);
  await putStream(deps, 'public', { listed: true }, false);
  await putStream(deps, 'private', {}, false);
  const handler = listStreamsHandler(deps);
  const get = async (authorization?: string) => {
    const event = { headers: { authorization }, requestContext: { http: { method: 'GET' } } };
    const {
      statusCode,
      headers,
      body = '',
    } = await handler(event as unknown as HttpEvent, {} as Context);
    const { streams = [] }: { streams?: StreamView[] } = JSON.parse(body);
    const ids = streams.map(({ videoId }) => videoId).sort();
    return { statusCode, ids, caching: headers?.['cache-control'] };
  };
  assert.deepEqual(await get(), { statusCode: 200, ids: ['public'], caching: 'public, max-age=2' });
  assert.deepEqual(await get(`Bearer ${OWNER_KEY}`), {
    statusCode: 200,
    ids: ['private', 'public'],
    caching: 'no-store',
  });
  assert.equal((await get('Bearer wrong')).statusCode, 403);
});
