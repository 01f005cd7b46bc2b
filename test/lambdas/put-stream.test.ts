import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { putStreamHandler } from '../../lambdas/api/put-stream.ts';
import { uploadHandler } from '../../lambdas/api/upload.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { OWNER_KEY, testEngine } from '../support/engine.ts';

async function setUp(t: TestContext) {
  const { deps, records } = await testEngine(t);
  const call = async (
    handler: ReturnType<typeof putStreamHandler>,
    key: string,
    body: string,
    query: Readonly<Record<string, string>> = {},
  ) => {
    const event = {
      headers: { authorization: `Bearer ${key}` },
      pathParameters: { videoId: 'show' },
      queryStringParameters: query,
      body,
      isBase64Encoded: false,
    };
    const answer = await handler(event as unknown as HttpEvent, {} as Context);
    return { status: answer.statusCode, body: JSON.parse(answer.body ?? '{}') };
  };
  const put = (settings: unknown) =>
    call(putStreamHandler(deps), OWNER_KEY, JSON.stringify(settings));
  /** 415: the key opens the stream, and the body is no media. */
  const upload = async (key: string) =>
    (await call(uploadHandler(deps), key, 'no media', { segment: '0' })).status;
  return { put, upload, records };
}

const rung = { name: '360p', shortSidePx: 360, maxrateBps: 700_000 };
const rungs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...rung, name: `r${index}` }));

/** Each setting: the values at its bounds, and the ones beyond. */
const BOUNDS: readonly (readonly [setting: string, taken: unknown[], refused: unknown[]])[] = [
  ['title', ['a', 'a'.repeat(200), '  a  '], ['', '   ', 'a'.repeat(201), 7]],
  ['targetDurationSeconds', [1, 30], [0, 31, 2.5, '6', null]],
  ['dvrWindowSeconds', [0, 31_536_000, null, 0.5], [-1, 31_536_001, '60']],
  ['idleTimeoutSeconds', [1, 604_800, null], [0, 604_801]],
  ['holeGraceSeconds', [0, 600], [-0.1, 601, null]],
  ['redundant', [true, false], ['yes', 1]],
  ['listed', [true, false], ['yes', 1]],
  ['webm', ['onDemand', 'always', 'never'], ['yes', true]],
  [
    'defaultAudio',
    [{}, { '*': 'en' }, { FR: 'fr', CA: 'fr-CA' }],
    [{ fr: 'fr' }, { FRA: 'fr' }, { FR: 'no language' }, { FR: 'und' }, { FR: 1 }, 'fr', null],
  ],
  [
    'retention',
    [
      null,
      { days: 1 },
      { days: 3650 },
      { days: 7, clipped: 7 },
      { days: 7, clipped: null },
      { days: 7, marked: [{ days: 7, beforeSeconds: 0, afterSeconds: 86_400 }] },
      { days: 7, marked: [{ class: 'goal', days: null, beforeSeconds: 30, afterSeconds: 60.5 }] },
    ],
    [
      7,
      {},
      { days: 0 },
      { days: 3651 },
      { days: 1.5 },
      { days: 7, marked: [] },
      { days: 7, marked: [{ days: 6, beforeSeconds: 0, afterSeconds: 0 }] },
      { days: 7, marked: [{ days: 8, beforeSeconds: -1, afterSeconds: 0 }] },
      { days: 7, clipped: 6 },
      { days: 7, clipped: { days: 8 } },
    ],
  ],
  [
    'ladder',
    [rungs(1), rungs(8), [{ ...rung, shortSidePx: 64 }], [{ ...rung, shortSidePx: 4320 }]],
    [
      [],
      rungs(9),
      [rung, rung],
      [{ ...rung, name: 'source' }],
      [{ ...rung, name: 'audio' }],
      [{ ...rung, name: 'audio2' }],
      [{ ...rung, name: '360P' }],
      [{ ...rung, name: 'a'.repeat(17) }],
      [{ ...rung, shortSidePx: 63 }],
      [{ ...rung, shortSidePx: 4321 }],
      [{ ...rung, maxrateBps: 49_999 }],
      [{ ...rung, maxrateBps: 100_000_001 }],
      [{ ...rung, codec: 'av1' }],
    ],
  ],
];

describe('PUT /streams/{videoId}', () => {
  for (const [setting, taken, refused] of BOUNDS) {
    test(`${setting} is taken up to its bounds and refused beyond`, async (t) => {
      const { put } = await setUp(t);
      for (const value of taken) {
        const { status, body } = await put({ [setting]: value });
        assert.ok(status === 200 || status === 201, `${JSON.stringify(value)}: ${status}`);
        const kept = typeof value === 'string' ? value.trim() : value;
        assert.deepEqual(body.settings[setting], kept);
      }
      for (const value of refused) {
        const { status, body } = await put({ [setting]: value });
        assert.deepEqual([status, body.code], [400, 'bad_request'], JSON.stringify(value));
        assert.ok(body.message.includes(setting), body.message);
      }
    });
  }

  test('an unknown setting is refused by name', async (t) => {
    const { put } = await setUp(t);
    const { status, body } = await put({ dvrWindow: 60 });
    assert.equal(status, 400);
    assert.match(body.message, /dvrWindow/);
  });

  test('a new upload key opens the stream, and the one before no longer does', async (t) => {
    const { put, upload, records } = await setUp(t);
    const first = (await put({})).body.uploadKey;
    assert.match(first, /^[0-9a-f]{40}$/);
    assert.equal((await put({ title: 'Show' })).body.uploadKey, undefined, 'shown once');
    assert.equal(await upload(first), 415);
    const second = (await put({ newUploadKey: true })).body.uploadKey;
    assert.notEqual(second, first);
    assert.deepEqual([await upload(first), await upload(second)], [403, 415]);
    const stored = JSON.stringify(await records.findStream('show'));
    assert.ok(!stored.includes(second), 'only its hash is stored');
    assert.ok(!stored.includes('newUploadKey'));
  });
});
