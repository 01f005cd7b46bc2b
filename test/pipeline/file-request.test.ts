import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { mediaPrefix } from '../../lib/domain/object-keys.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { type FileJob, type FileKind, fileJobKind } from '../../lib/pipeline/jobs/file-job.ts';
import { MAX_FILE_REQUESTS, requestFile } from '../../lib/pipeline/jobs/file-request.ts';
import { jobRegistry } from '../../lib/pipeline/jobs/registry.ts';
import { deleteStream } from '../../lib/pipeline/streams.ts';
import { START_MS, testEngine } from '../support/engine.ts';

const MINUTE_MS = 60_000;

/** A stream, and a kind of job whose files hold their own names. */
async function setUp(t: TestContext, make?: FileKind<FileJob>['make']) {
  const { deps, records, workFolder, clock } = await testEngine(t);
  const stream = { ...newStream('show', START_MS), uid: 'u1' };
  assert.ok(await records.createStream(stream));
  const kind = fileJobKind<FileJob>({
    name: 'echo',
    weight: 0.1,
    schema: { parse: (message) => message as FileJob },
    make: make ?? (async (_deps, _stream, { key }) => file(key)),
  });
  const jobs = jobRegistry([kind]);
  const jobOf = (name: string): FileJob => ({
    ...{ videoId: 'show', uid: 'u1' },
    key: `${mediaPrefix(stream)}files/${name}`,
  });
  const request = (name: string) => requestFile(deps, stream, kind, jobOf(name));
  const { backfillJobs } = deps.queues;
  const take = async () => {
    const taken = await backfillJobs.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    await backfillJobs.acknowledge(taken.map(({ receipt }) => receipt));
    return taken.map(({ body }) => body);
  };
  const context = { workFolder, signal: new AbortController().signal };
  const run = (body: string) => jobs.run(deps, body, context);
  const work = async () => {
    const results: string[] = [];
    for (const body of await take()) results.push(await run(body));
    return results;
  };
  return { deps, stream, jobs, jobOf, request, take, run, work, clock };
}

const file = (text: string) => ({ bytes: Buffer.from(text), contentType: 'text/plain' });

describe('a file that a job makes for viewers', () => {
  test('is queued once, however often it is asked for, and then is there', async (t) => {
    const { deps, jobOf, request, work } = await setUp(t);
    assert.deepEqual(await request('a'), { type: 'waiting', progress: 0 });
    assert.deepEqual(await request('a'), { type: 'waiting', progress: 0 });
    assert.deepEqual(await work(), ['done']);
    const { key } = jobOf('a');
    assert.deepEqual(await request('a'), { type: 'ready', key });
    assert.equal(Buffer.from((await deps.media.get(key)) ?? []).toString(), key);
    assert.deepEqual(await work(), []);
  });

  test('says how far it is', async (t) => {
    let progress: unknown;
    const { request, work } = await setUp(t, async (_deps, _stream, { key }, _context, report) => {
      await report(0.25);
      progress = await request('a');
      return file(key);
    });
    await request('a');
    await work();
    assert.deepEqual(progress, { type: 'waiting', progress: 0.25 });
  });

  test('is made once by a job that is delivered twice', async (t) => {
    let made = 0;
    const { request, take, run } = await setUp(t, async (_deps, _stream, { key }) => {
      made += 1;
      return file(key);
    });
    await request('a');
    const [body = ''] = await take();
    assert.deepEqual([await run(body), await run(body)], ['done', 'done']);
    assert.equal(made, 1);
  });

  test('is queued again when its job was lost', async (t) => {
    const { request, take, clock } = await setUp(t);
    await request('a');
    assert.equal((await take()).length, 1);
    clock.nowMs += 14 * MINUTE_MS;
    await request('a');
    assert.equal((await take()).length, 0);
    clock.nowMs += 2 * MINUTE_MS;
    await request('a');
    assert.equal((await take()).length, 1);
  });

  test('is not queued again while its job waits, however long', async (t) => {
    const { request, take, clock } = await setUp(t);
    await request('a');
    clock.nowMs += 60 * MINUTE_MS;
    await request('a');
    assert.equal((await take()).length, 1);
  });

  test('of which too many are being made is refused, until one of them is done', async (t) => {
    const { request, work } = await setUp(t);
    for (let index = 0; index < MAX_FILE_REQUESTS; index += 1) await request(`f${index}`);
    await assert.rejects(request('one-more'), { code: 'too_many_files' });
    assert.equal((await request('f0')).type, 'waiting');
    await work();
    assert.equal((await request('one-more')).type, 'waiting');
  });

  test('whose jobs were all lost make room for others', async (t) => {
    const { request, take, clock } = await setUp(t);
    for (let index = 0; index < MAX_FILE_REQUESTS; index += 1) await request(`f${index}`);
    for (let left = MAX_FILE_REQUESTS; left > 0; ) left -= (await take()).length;
    clock.nowMs += 14 * MINUTE_MS;
    await assert.rejects(request('one-more'), { code: 'too_many_files' });
    clock.nowMs += 2 * MINUTE_MS;
    assert.equal((await request('one-more')).type, 'waiting');
  });

  test('that cannot be made says why for ten minutes', async (t) => {
    let tries = 0;
    const { request, work, clock } = await setUp(t, async () => {
      tries += 1;
      throw new DomainError('undecodable', 'It is broken.', 'Send another.');
    });
    await request('a');
    assert.deepEqual(await work(), ['failed']);
    const broken = { code: 'undecodable', message: 'It is broken.', hint: 'Send another.' };
    await assert.rejects(request('a'), broken);
    assert.deepEqual(await work(), []);
    clock.nowMs += 11 * MINUTE_MS;
    await request('a');
    assert.deepEqual(await work(), ['failed']);
    assert.equal(tries, 2);
  });

  test('whose every try has failed is unavailable, and leaves room for others', async (t) => {
    const { deps, jobs, request, take } = await setUp(t);
    for (let index = 0; index < MAX_FILE_REQUESTS; index += 1) await request(`f${index}`);
    const [body = ''] = await take();
    await jobs.giveUp(deps, body, 'by the test');
    await assert.rejects(request('f0'), { code: 'unavailable', message: /by the test/ });
    assert.equal((await request('one-more')).type, 'waiting');
  });

  test('is tried again when the store fails', async (t) => {
    const { request, take, run } = await setUp(t, async () => {
      throw new Error('The store fails.');
    });
    await request('a');
    const [body = ''] = await take();
    await assert.rejects(run(body), /The store fails/);
    assert.equal((await request('a')).type, 'waiting');
  });

  test('leaves nothing behind of a stream that is deleted meanwhile', async (t) => {
    const { deps, stream, request, work } = await setUp(t, async (_deps, _stream, { key }) => {
      await deleteStream(deps, 'show');
      return file(key);
    });
    await request('a');
    assert.deepEqual(await work(), ['obsolete']);
    assert.deepEqual(await deps.media.list(mediaPrefix(stream)), []);
  });
});
