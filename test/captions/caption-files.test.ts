import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publish } from '../support/outcomes.ts';
import { captionedStream, FILE, STYLE } from './caption-set-up.ts';

describe('captions as one file', () => {
  test('are had by language or track', async (t) => {
    const { send, upload, file } = await captionedStream(t);
    await upload(0);
    await send(FILE);
    await upload(1);
    const vtt = await file('de.vtt');
    assert.equal(
      vtt.text,
      `WEBVTT\n\n${STYLE}c1-0\n00:00:01.000 --> 00:00:02.500 line:0\nGuten Tag\n\nc1-1\n00:00:03.000 --> 00:00:06.000\nWas geht hier vor?\n\n`,
    );
    assert.equal((await file('captions-de.vtt')).text, vtt.text);
    assert.equal(
      (await file('de.srt')).text,
      '1\n00:00:01,000 --> 00:00:02,500\nGuten Tag\n\n2\n00:00:03,000 --> 00:00:06,000\nWas geht hier vor?\n\n',
    );
    const missing = await file('ja.vtt');
    assert.deepEqual(JSON.parse(missing.text), {
      code: 'captions_not_found',
      message: 'Stream "show" has no captions "ja".',
      hint: 'It has captions-de.',
    });
  });

  test('of a long recording are made by a job', async (t) => {
    const { engine, stream, send, upload, file } = await captionedStream(t, {}, 1);
    const { deps, workFolder } = engine;
    await send({ id: 'a', from: 1, to: 2, text: 'first' });
    await upload(0);
    await upload(1);
    const waiting = await file('de.srt');
    assert.equal(waiting.status, 202);
    assert.equal(waiting.text, '{"ready":false,"progress":0,"retryAfterSeconds":2}');
    const work = async () => {
      const { backfillJobs } = deps.queues;
      const context = { workFolder, signal: new AbortController().signal };
      for (const { body, receipt } of await backfillJobs.receive({
        ...{ max: 10, leaseMs: 1000, waitMs: 0 },
      })) {
        await JOBS.run(deps, body, context);
        await backfillJobs.acknowledge([receipt]);
      }
    };
    const made = async () => {
      await file('de.srt');
      await work();
      const { status, headers } = await file('de.srt');
      assert.equal(status, 302);
      const location = String(headers?.location);
      assert.match(location, /^\/media\/show\/u1\/saved\/[0-9a-f]{24}\/show-captions-de\.srt$/);
      const bytes = (await deps.media.get(location.slice(1))) ?? assert.fail();
      return { location, text: Buffer.from(bytes).toString() };
    };
    const live = await made();
    assert.equal(live.text, '', 'less than the first step of a live stream');
    await send({ id: 'b', from: 5, to: 6, text: 'second' });
    assert.equal((await made()).location, live.location, 'not made anew with every change');
    await requestEnd(deps, stream, 'call');
    await publish(engine, stream);
    const first = '1\n00:00:01,000 --> 00:00:02,000\nfirst\n\n';
    const ended = await made();
    assert.equal(ended.text, `${first}2\n00:00:05,000 --> 00:00:06,000\nsecond\n\n`);
    await send({ id: 'b', text: null });
    assert.equal((await made()).text, first);
  });
});
