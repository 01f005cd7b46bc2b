import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StorageFault } from '../../lib/embedded/storage-fault.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { checkHealth } from '../../lib/pipeline/upkeep/health.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';

const FULL = new StorageFault('ENOSPC', undefined);

/** The methods stand on the prototype. */
const withFullDisk = <Media extends object>(media: Media): Media =>
  new Proxy(media, {
    get(target, name) {
      if (name === 'put') return () => Promise.reject(FULL);
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });

describe('while the disk takes nothing', () => {
  test('an upload to a new stream leaves no stream, and a job that fails is no outcome', async (t) => {
    const { deps, records, workFolder } = await testEngine(t);
    const { segments } = await makeSegments({ seconds: 2, size: '64x36' });
    const upload = { number: 0, bytes: segments[0]?.bytes ?? assert.fail(), pushed: false };
    const full = { ...deps, media: withFullDisk(deps.media) };
    const made = { value: newStream('show', START_MS), version: 0 };
    await assert.rejects(uploadSegment(full, made, upload), FULL);
    assert.deepEqual(await records.listVideoIds(), []);

    const { receipt } = await uploadSegment(deps, made, upload);
    assert.equal(receipt.stored, true);
    const { uid } = (await records.findStream('show'))?.value ?? assert.fail();
    const job = JSON.stringify({ kind: 'transcode', videoId: 'show', uid, run: 1, number: 0 });
    const run = (on: typeof deps) =>
      JOBS.run(on, job, { workFolder, signal: new AbortController().signal });
    await assert.rejects(run(full), FULL);
    assert.equal(await records.findOutcome({ videoId: 'show', uid }, 1, 0), undefined);
    assert.equal(await run(deps), 'done', 'when there is room again');
  });

  test('the health says why', async (t) => {
    const { deps } = await testEngine(t);
    assert.equal((await checkHealth(deps)).ready, true);
    const { ready, parts } = await checkHealth({ ...deps, storageFault: async () => FULL.message });
    assert.deepEqual([ready, parts.media], [false, "The server's disk is full."]);
  });
});
