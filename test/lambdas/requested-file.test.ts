import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answerWithFile, parseWait } from '../../lambdas/api/requested-file.ts';
import type { RequestedFile } from '../../lib/pipeline/jobs/file-request.ts';

const READY: RequestedFile = { type: 'ready', key: 'media/show/u1/a.webm' };
const WAITING: RequestedFile = { type: 'waiting', progress: 0.5 };
const HEADERS = { 'cache-control': 'public, max-age=10' };

describe('the answer to a request for a file that a job makes', () => {
  test('leads to the object when it is there', async () => {
    assert.deepEqual(await answerWithFile(async () => READY, 0, HEADERS), {
      statusCode: 302,
      headers: { location: '/media/show/u1/a.webm', 'cache-control': 'public, max-age=10' },
    });
  });

  test('says how far it is, and when to ask again', async () => {
    assert.deepEqual(await answerWithFile(async () => WAITING, 0, HEADERS), {
      statusCode: 202,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=1',
        'x-content-type-options': 'nosniff',
        'retry-after': '2',
      },
      body: '{"ready":false,"progress":0.5,"retryAfterSeconds":2}',
    });
  });

  test('waits as long as it was asked to', async () => {
    const answers = [WAITING, WAITING, READY];
    const { statusCode } = await answerWithFile(async () => answers.shift() ?? READY, 20, HEADERS);
    assert.deepEqual([statusCode, answers], [302, []]);
  });

  test('refuses a wait that is no number of seconds, or too long', () => {
    assert.deepEqual(
      [parseWait(), parseWait('0'), parseWait('2.5'), parseWait('20')],
      [0, 0, 2.5, 20],
    );
    for (const text of ['', 'soon', '-1', '21', '1e3', 'NaN', 'Infinity', '1'.repeat(400)]) {
      assert.throws(() => parseWait(text), { code: 'bad_request' }, text);
    }
  });
});
