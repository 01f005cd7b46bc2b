import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { routesOf } from '../../bin/serve/running-system.ts';
import type { ErrorBody } from '../../lib/api/messages.ts';
import { reportError } from '../../lib/base/log.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import type { InspectionTasks } from '../../lib/media/threads/inspection-thread.ts';
import { ThreadPool } from '../../lib/media/threads/thread-pool.ts';
import { OWNER_KEY, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';
import { temporaryFolder } from '../support/system.ts';

const SPIN = 'spin until there is ';
const GIGABYTE = 1 << 30;

/** Bodies of less than so many bytes have a short deadline, the others a long one. */
const SHORT_BODY = 60;

async function startGateway(t: TestContext) {
  const { deps } = await testEngine(t, { realTime: true });
  const inspection = new ThreadPool<InspectionTasks>({
    module: new URL('./spinning-inspection-thread.ts', import.meta.url),
    report: reportError,
    threads: 2,
    maxWaitMs: 120_000,
    limits: (bytes) => ({ timeMs: bytes < SHORT_BODY ? 1000 : 120_000, memoryBytes: GIGABYTE }),
  });
  const routes = routesOf({ ...deps, inspection });
  const gateway = new Gateway({ routes, mounts: [], report: reportError });
  const { port } = await gateway.listen(0, '127.0.0.1');
  t.after(() => gateway.close(0));
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, init);
  const upload = (stream: string, number: number, body: Uint8Array<ArrayBuffer> | string) =>
    request(`/upload/${stream}?segment=${number}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OWNER_KEY}` },
      body,
    });
  return { request, upload };
}

describe('a body that inspection cannot end with', () => {
  test('stops nobody: health, other streams and their viewers are answered before it', async (t) => {
    const { request, upload } = await startGateway(t);
    const { segments } = await makeSegments({ seconds: 4 });
    const bodies = segments.map(({ bytes }) => new Uint8Array(bytes));
    const release = join(await temporaryFolder(t), 'release');
    const events: string[] = [];
    const note = async (what: string, answer: Promise<Response>): Promise<void> => {
      const { status } = await answer;
      events.push(`${what} ${status}`);
    };
    const spinning = SPIN + release.padStart(SHORT_BODY, '/');
    const hostile = [0, 1, 2].map((number) => note('hostile', upload('hostile', number, spinning)));
    await note('health', request('/healthz'));
    await note('upload', upload('other', 0, bodies[0] ?? assert.fail()));
    await note('upload', upload('other', 1, bodies[1] ?? assert.fail()));
    await note('state', request('/viewstream/metadata/other?format=json'));
    await writeFile(release, '');
    await Promise.all(hostile);
    assert.deepEqual(events, [
      ...['health 200', 'upload 201', 'upload 201', 'state 200'],
      ...['hostile 415', 'hostile 415', 'hostile 415'],
    ]);
  });

  test('is refused at its deadline, and the next segment of the stream is taken', async (t) => {
    const { upload } = await startGateway(t);
    const refused = await upload('show', 0, `${SPIN}/no/such/file`);
    assert.equal(refused.status, 422);
    const { code, message } = (await refused.json()) as ErrorBody;
    assert.deepEqual([code, message], ['undecodable', 'The segment could not be read within 1 s.']);
    const { segments } = await makeSegments({ seconds: 4 });
    const body = new Uint8Array(segments[0]?.bytes ?? assert.fail());
    assert.equal((await upload('show', 1, body)).status, 201);
  });
});
