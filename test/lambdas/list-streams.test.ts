import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from 'aws-lambda';
import { listStreamsHandler } from '../../lambdas/api/streams.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import type { StreamView } from '../../lib/api/messages.ts';
import { listStreams, putStream } from '../../lib/pipeline/streams.ts';
import { OWNER_KEY, testEngine } from '../support/engine.ts';
import { acknowledge, settle } from '../support/outcomes.ts';

test('GET /streams says what a stream takes in the store to its owner alone, and who watches to all', async (t) => {
  const engine = await testEngine(t);
  const deps = { ...engine.deps, viewersOf: (videoId: string) => (videoId === 'show' ? 3 : 0) };
  await putStream(deps, 'show', { listed: true }, false);
  await putStream(deps, 'later', { listed: true }, false);
  const { value: stream } = (await deps.records.findStream('show')) ?? assert.fail();
  const facts = async (all: boolean) => {
    const streams = await listStreams(deps, all);
    return streams.map(({ videoId, viewers, storageBytes }) => [videoId, viewers, storageBytes]);
  };
  assert.deepEqual(await facts(true), [
    ['later', undefined, 0],
    ['show', undefined, 0],
  ]);
  for (const number of [0, 1]) {
    await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, number, number === 0 ? ['720p', '360p'] : ['720p'], {
      sourceBytes: 1000,
    });
  }
  // What is missing of a rendition is not stored twice.
  assert.deepEqual(await facts(true), [
    ['later', undefined, 0],
    ['show', 3, 720_000 + 360_000 + 720_000 + 2000],
  ]);
  assert.deepEqual(await facts(false), [
    ['later', undefined, undefined],
    ['show', 3, undefined],
  ]);
});

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
