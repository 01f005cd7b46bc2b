import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { viewPictureHandler } from '../../lambdas/api/view-picture.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import { NUMBERED, numbersIn } from '../support/numbered-frames.ts';

const LADDER = [
  { name: '180p', shortSidePx: 180, maxrateBps: 200_000 },
  { name: '90p', shortSidePx: 90, maxrateBps: 200_000 },
];

type Query = Readonly<Record<string, string>>;

describe('the picture of a moment', () => {
  let engine: TestEngine;
  const ends: (() => unknown)[] = [];
  const signal = new AbortController().signal;

  /** Runs the jobs that wait in a queue. */
  async function work(queue: 'liveJobs' | 'backfillJobs'): Promise<number> {
    const { deps, workFolder } = engine;
    const jobs = await deps.queues[queue].receive({ max: 10, waitMs: 0, leaseMs: 60_000, signal });
    for (const { body, receipt } of jobs) {
      await JOBS.run(deps, body, { workFolder, signal });
      await deps.queues[queue].acknowledge([receipt]);
    }
    return jobs.length;
  }

  /** Its second segment never comes. */
  async function makeStream(videoId: string, options: ClipOptions): Promise<void> {
    const { deps, records, clock } = engine;
    const made = newStream(videoId, START_MS);
    const stream = { ...made, settings: { ...made.settings, ladder: LADDER } };
    await records.createStream(stream);
    const { segments } = await makeSegments({ rate: '10', seconds: 6, ...options });
    for (const [number, { bytes }] of segments.entries()) {
      if (number === 1) continue;
      const found = (await records.findStream(videoId)) ?? assert.fail();
      await uploadSegment(deps, found, { number, bytes, pushed: false, durationSeconds: 2 });
    }
    await work('liveJobs');
    clock.nowMs += 10_000;
    await publishStream(deps, { videoId, uid: stream.uid });
  }

  before(async () => {
    engine = await testEngine({ after: (end) => void ends.push(end) });
    const picture = { size: '320x180', filter: NUMBERED, bFrames: 2 };
    await makeStream('show', picture);
    await makeStream('radio', { video: 'none' });
    return async () => {
      for (const end of ends) await end();
    };
  });

  async function get(query: Query, videoId = 'show') {
    const event = { headers: {}, pathParameters: { videoId }, queryStringParameters: query };
    const handler = viewPictureHandler(engine.deps);
    const answer = await handler(event as unknown as HttpEvent, {} as Context);
    return { status: answer.statusCode, headers: answer.headers ?? {}, body: answer.body };
  }

  async function pictureOf(query: Query) {
    await get(query);
    await work('backfillJobs');
    const { status, headers } = await get(query);
    assert.equal(status, 302);
    const key = String(headers.location).slice(1);
    const bytes = (await engine.deps.media.get(key)) ?? assert.fail();
    const { contentType } = (await engine.deps.media.head(key)) ?? assert.fail();
    assert.equal(contentType, 'image/jpeg');
    return { key, bytes, headers };
  }

  test('is made when it is first asked for, kept, and then at once', async () => {
    const query = { timestamp: '0.5', width: '320' };
    const first = await get(query);
    assert.equal(first.status, 202);
    assert.equal(first.headers['retry-after'], '2');
    assert.deepEqual(JSON.parse(first.body ?? ''), {
      ready: false,
      progress: 0,
      retryAfterSeconds: 2,
    });
    assert.equal((await get(query)).status, 202);
    assert.equal(await work('backfillJobs'), 1, 'however often it is asked for');
    const { status, headers } = await get(query);
    assert.equal(status, 302);
    assert.match(
      String(headers.location),
      /^\/media\/show\/[^/]+\/pictures\/1-0{10}-\d+-320\.jpg$/,
    );
    assert.equal(headers['cache-control'], 'public, max-age=10');
  });

  test('is the very frame that is on the screen then, also of an instant and behind a gap', async () => {
    const numberAt = async (timestamp?: string) => {
      const { bytes } = await pictureOf({ ...(timestamp && { timestamp }), width: '160' });
      return (await numbersIn(bytes))[0];
    };
    assert.equal(await numberAt('0'), 0);
    assert.equal(await numberAt('0.7'), 7);
    assert.equal(await numberAt('0.799'), 7);
    assert.equal(await numberAt('1.999'), 19);
    assert.equal(await numberAt('4'), 40);
    const { value: state } = await engine.records.timeline(
      (await engine.records.findStream('show'))?.value ?? assert.fail(),
    );
    const instant = new Date((state.startedAtMs ?? 0) + 4750).toISOString();
    assert.equal(await numberAt(instant), 47);
    assert.equal(await numberAt(), 59, 'the newest');
  });

  test('is one file for all moments of its frame, and never larger than the stream', async () => {
    const one = await pictureOf({ timestamp: '1.2', width: '640' });
    const other = await pictureOf({ timestamp: '1.29', width: '1920' });
    assert.equal(one.key, other.key);
    assert.match(one.key, /-320\.jpg$/);
    const small = await pictureOf({ timestamp: '1.2', width: '160' });
    assert.ok(small.bytes.byteLength < one.bytes.byteLength);
  });

  test('is looked for in the first bytes of a segment, and not in all of it', async () => {
    const { deps } = engine;
    const read: number[] = [];
    const get: typeof deps.media.get = async (...asked) => {
      const bytes = await deps.media.get(...asked);
      read.push(bytes?.byteLength ?? 0);
      return bytes;
    };
    const head = deps.media.head.bind(deps.media);
    const handler = viewPictureHandler({ ...deps, media: { ...deps.media, get, head } });
    const query = { timestamp: '1.9', width: '160' };
    const event = { headers: {}, pathParameters: { videoId: 'show' } };
    const asked = { ...event, queryStringParameters: query } as unknown as HttpEvent;
    const { statusCode } = await handler(asked, {} as Context);
    assert.ok(statusCode === 202 || statusCode === 302);
    const stream = (await engine.records.findStream('show'))?.value ?? assert.fail();
    const entry = (await engine.records.entry(stream, 0)) ?? assert.fail();
    const { sizeBytes = 0, keyframeBytes = 0 } = entry.renditions['90p'] ?? {};
    assert.ok(keyframeBytes > 0 && keyframeBytes < sizeBytes, `${keyframeBytes} of ${sizeBytes}`);
    assert.deepEqual(read, [keyframeBytes]);
  });

  test('is refused with the reason where there is none', async () => {
    const refusal = async (query: Query, videoId?: string) => {
      const { status, body } = await get(query, videoId);
      const { code, message, hint } = JSON.parse(body ?? '');
      return [status, code, `${message} ${hint}`];
    };
    const [status, code, text] = await refusal({ width: '800' });
    assert.deepEqual([status, code], [400, 'bad_request']);
    assert.match(text, /160, 320, 640, 1280, 1920/);
    for (const width of ['0', '-1', '9999', 'NaN', '', '1e400', '160.5']) {
      assert.deepEqual((await refusal({ width })).slice(0, 2), [400, 'bad_request'], width);
    }
    assert.deepEqual((await refusal({ timestamp: 'noon' })).slice(0, 2), [400, 'bad_request']);
    assert.deepEqual((await refusal({ wait: '99' })).slice(0, 2), [400, 'bad_request']);
    const gone = [404, 'moment_not_found'];
    assert.deepEqual((await refusal({ timestamp: '6.1' })).slice(0, 2), gone, 'after the end');
    const before = await refusal({ timestamp: '2020-01-01T00:00:00Z' });
    assert.deepEqual(before.slice(0, 2), gone, 'before the start');
    const gap = await refusal({ timestamp: '3' });
    assert.deepEqual(gap.slice(0, 2), gone);
    assert.match(String(gap[2]), /segment 1 never came/);
    assert.deepEqual(await refusal({ timestamp: '1' }, 'radio'), [
      ...[404, 'rendition_not_found'],
      'Stream "radio" has no picture. It has sound alone.',
    ]);
    assert.deepEqual((await refusal({}, 'nobody')).slice(0, 2), [404, 'stream_not_found']);
  });
});
