import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { apiHandlers } from '../../lambdas/api/handlers.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { presignedKey } from '../../lib/domain/object-keys.ts';
import { commitPresigned } from '../../lib/pipeline/ingest/presigned-upload.ts';
import { OWNER_KEY, START_MS, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';

async function setUp(t: TestContext) {
  const { deps, records } = await testEngine(t);
  const { segments } = await makeSegments({ seconds: 10, size: '64x36' });
  const { upload } = apiHandlers(deps);
  const send = async (
    segment: number,
    query: Readonly<Record<string, string>>,
    bytes = segments[segment]?.bytes ?? assert.fail(),
  ) => {
    const event = {
      headers: { authorization: `Bearer ${OWNER_KEY}` },
      requestContext: { http: { method: 'POST' } },
      pathParameters: { videoId: 'show' },
      queryStringParameters: { segment: String(segment), session: 's', ...query },
      body: Buffer.from(bytes).toString('base64'),
      isBase64Encoded: true,
    };
    return upload(event as unknown as HttpEvent, {} as Context);
  };
  return {
    ...{ deps, records, segments, send },
    hintOf: async (number: number) => {
      const stream = (await records.findStream('show'))?.value ?? assert.fail();
      return records.segmentHint(stream, 1, number);
    },
  };
}

test('an upload may say when its segment began; a time that cannot be is not kept', async (t) => {
  const { send, hintOf } = await setUp(t);
  const said: readonly (readonly [query: Record<string, string>, expected: object | undefined])[] =
    [
      [
        { at: '2025-12-31T23:00:00.250Z', duration: '2' },
        { seconds: 2, programDateTimeMs: START_MS - 3_599_750 },
      ],
      [{ at: '2026-01-01T00:59:00+01:00' }, { programDateTimeMs: START_MS - 60_000 }],
      [{ at: String(START_MS - 5000) }, { programDateTimeMs: START_MS - 5000 }],
      [{ at: '1970-01-01T00:00:09Z', duration: '2' }, { seconds: 2 }],
      [{ at: '2026-01-01T00:10:00Z' }, undefined],
    ];
  for (const [number, [query, expected]] of said.entries()) {
    assert.equal((await send(number, query)).statusCode, 201);
    assert.deepEqual(await hintOf(number), expected, JSON.stringify(query));
  }
});

test('an upload whose time is none is refused by its words', async (t) => {
  const { send } = await setUp(t);
  for (const at of [
    'yesterday',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '-1',
    '1e3',
    '2026-99-01T00:00:00Z',
  ]) {
    assert.equal((await send(0, { at })).statusCode, 400, at);
  }
});

test('a presigned upload keeps the time that it was announced with', async (t) => {
  const { send, hintOf, deps, segments } = await setUp(t);
  const { bytes } = segments[1] ?? assert.fail();
  assert.equal((await send(0, {})).statusCode, 201);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const query = { size: String(bytes.byteLength), digest, at: String(START_MS - 9000) };
  const answer = await send(1, query, new Uint8Array());
  assert.equal(answer.statusCode, 202);
  const [presignId] = answer.body?.match(/[0-9a-f]{40}(?=\.bin)/) ?? assert.fail(answer.body);
  const stream = (await deps.records.findStream('show'))?.value ?? assert.fail();
  const key = presignedKey(stream, presignId);
  await deps.media.put(key, bytes, 'application/octet-stream');
  await commitPresigned(deps, key);
  assert.deepEqual(await hintOf(1), { programDateTimeMs: START_MS - 9000 });
});
