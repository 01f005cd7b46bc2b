import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { sourcePrefix, uploadedFileKey } from '../../lib/domain/object-keys.ts';
import { FileMediaStore } from '../../lib/embedded/file-media-store.ts';
import { requestFileUpload } from '../../lib/pipeline/ingest/file-upload.ts';
import { cachePuts } from '../../lib/pipeline/jobs/put-cache.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { findUploadedFile } from '../../lib/pipeline/records/uploaded-file-records.ts';
import { deleteStream } from '../../lib/pipeline/streams.ts';
import { onDelayedMessage } from '../../lib/pipeline/upkeep/housekeeping.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import type { TestEngine } from '../support/engine.ts';
import { context, fileNamed, start, work } from './file-set-up.ts';

const MIB = 1024 * 1024;

describe('the upload of a whole file', () => {
  test('tells which parts are missing, whoever asks and however often, and is complete when none is', async (t) => {
    const { deps, stream, open } = await start(t);
    const sizeBytes = 20 * MIB;
    const ask = async (name = 'a.mkv') =>
      requestFileUpload(deps, await open(), { name, sizeBytes });
    const first = await ask();
    assert.equal(first.type, 'missing');
    const { upload, file } = first.answer;
    assert.deepEqual(
      [
        upload?.partBytes,
        upload?.parts,
        upload?.missing.map(({ part, offset, sizeBytes }) => [part, offset, sizeBytes]),
      ],
      [
        8 * MIB,
        3,
        [
          [1, 0, 8 * MIB],
          [2, 8 * MIB, 8 * MIB],
          [3, 16 * MIB, 4 * MIB],
        ],
      ],
    );
    assert.deepEqual(file, {
      ...{ name: 'a.mkv', sizeBytes, state: 'uploading', storedBytes: 0, cutSeconds: 0 },
    });
    await put(deps.media, upload?.missing[1]?.url);
    const second = (await ask()).answer;
    assert.deepEqual(
      second.upload?.missing.map(({ part }) => part),
      [1, 3],
    );
    assert.equal(second.file.storedBytes, 8 * MIB);
    await assert.rejects(ask('b.mkv'), {
      code: 'file_under_way',
      message: /"a\.mkv" is being uploaded/,
    });
    for (const { url } of second.upload?.missing ?? []) await put(deps.media, url);
    const { type, answer } = await ask();
    assert.deepEqual([type, answer.file.state, answer.upload], ['completed', 'waiting', undefined]);
    assert.equal((await ask()).type, 'known');
    assert.equal((await deps.media.head(uploadedFileKey(stream, 1)))?.sizeBytes, sizeBytes);
    assert.equal((await deps.queues.backfillJobs.depth()).ready, 1);
    await assert.rejects(ask('b.mkv'), { code: 'file_under_way', message: /is being processed/ });
  });

  test('gives way to another file when nobody has gone on with it for ten minutes', async (t) => {
    const { deps, engine, open } = await start(t);
    const ask = async (name: string) =>
      requestFileUpload(deps, await open(), { name, sizeBytes: 20 * MIB });
    const before = (await ask('a.mkv')).answer.upload?.missing[0]?.url;
    engine.clock.nowMs += 10 * 60_000;
    assert.equal((await ask('b.mkv')).answer.file.name, 'b.mkv');
    await assert.rejects(put(deps.media, before), { code: 'not_found' });
  });

  test('is dropped with its stream', async (t) => {
    const { deps, stream, open } = await start(t);
    const request = { name: 'a.mkv', sizeBytes: 20 * MIB };
    const { answer } = await requestFileUpload(deps, await open(), request);
    await deleteStream(deps, stream.videoId);
    await assert.rejects(put(deps.media, answer.upload?.missing[0]?.url), { code: 'not_found' });
  });

  test('refuses a file without bytes, and one that is larger than any', async (t) => {
    const { deps, open } = await start(t);
    const ask = async (sizeBytes: number) =>
      requestFileUpload(deps, await open(), { name: 'a.mkv', sizeBytes });
    await assert.rejects(ask(0), { code: 'empty_body' });
    await assert.rejects(ask(2 ** 50), { code: 'too_large' });
  });
});

/** As a client would with the address that it was given. */
async function put(media: TestEngine['deps']['media'], url = ''): Promise<void> {
  const query = new URL(url).searchParams;
  const [number = 0, offset = 0, sizeBytes = 0] = ['part', 'offset', 'size'].map((name) =>
    Number(query.get(name)),
  );
  if (!(media instanceof FileMediaStore)) return assert.fail();
  const part = { uploadId: query.get('upload') ?? '', number, offset };
  await media.multipart.putPart(part, Readable.from([new Uint8Array(sizeBytes)]), sizeBytes);
}

describe('the job that cuts a whole file', () => {
  test('cuts it in steps, each behind the jobs of the one before, and ends its stream', async (t) => {
    const { engine, deps, stream, take } = await start(t, { targetDurationSeconds: 1 });
    await take(await fileNamed('film.mp4'));
    const kinds = await work(engine, 24, /split/);
    assert.deepEqual(
      kinds.map((text) => text.replace(/: left$/, '')),
      [
        'split-file: done',
        ...Array.from({ length: 8 }, (_, index) => `transcode-file ${index}`),
        'split-file: done',
        ...Array.from({ length: 12 }, (_, index) => `transcode-file ${8 + index}`),
      ],
    );
    assert.equal((await deps.queues.liveJobs.depth()).ready, 0, 'no live stream waits for it');
    const run = await engine.records.newestRun(stream);
    assert.deepEqual([run?.session, run?.firstNumber], ['file-1', 0]);
    const { file } = await createViewer(deps).state('show');
    assert.deepEqual([file?.state, file?.cutSeconds, file?.durationSeconds], ['done', 20, 20]);
    assert.equal(await deps.media.head(uploadedFileKey(stream, 1)), undefined);
    assert.equal((await engine.records.endRequest(stream))?.number, 19);
  });

  test('viewers get every second of it, and its stream has ended when all is transcoded', async (t) => {
    const { engine, deps, stream, take } = await start(t);
    const { answer } = await take(await fileNamed('film.mp4'));
    assert.equal(answer.file.state, 'waiting');
    assert.equal((await work(engine)).filter((text) => text.endsWith(': done')).length, 11);
    await publishStream(deps, { videoId: 'show', uid: stream.uid });
    const state = await createViewer(deps).state('show');
    assert.deepEqual([state.state, state.durationSeconds], ['ended', 20]);
    assert.deepEqual(
      state.renditions.map(({ name }) => name),
      ['90p', 'audio'],
    );
  });

  test('that dies at any moment is done again, and gives what one run gives', async (t) => {
    const bytes = await fileNamed('film.mp4');
    const whole = await start(t);
    await whole.take(bytes);
    await work(whole.engine, 99, /split/);
    const digests = async ({ engine, stream }: Awaited<ReturnType<typeof start>>) =>
      Promise.all(
        [0, 1, 2, 3, 4, 5, 6, 7, 8].map(
          async (number) => (await engine.records.findSegment(stream, 1, number))?.digest,
        ),
      );
    const broken = await start(t);
    await broken.take(bytes);
    const body = JSON.stringify({
      kind: 'split-file',
      videoId: 'show',
      uid: broken.stream.uid,
      fileId: 1,
    });
    for (const dyingAt of [2, 4]) {
      let puts = 0;
      const media: typeof broken.deps.media = {
        ...cachePuts(broken.deps.media),
        put: async (...object) => {
          puts += 1;
          if (puts === dyingAt) throw new Error('killed');
          return broken.deps.media.put(...object);
        },
      };
      await assert.rejects(
        JOBS.run({ ...broken.deps, media }, body, context(broken.engine)),
        /killed/,
      );
    }
    const step = () => JOBS.run(broken.deps, body, context(broken.engine));
    assert.deepEqual([await step(), await step()], ['done', 'done']);
    assert.deepEqual(await digests(broken), await digests(whole));
    assert.equal(await step(), 'obsolete');
  });

  test('waits while the workers are far behind', async (t) => {
    const { engine, deps, stream, take } = await start(t);
    await take(await fileNamed('film.mp4'));
    await work(engine, 1);
    const found = (await findUploadedFile(deps, stream)) ?? assert.fail();
    const cut = { session: 'file-1', nextNumber: 600, steps: 5, seconds: 9 };
    const file = { ...found.value, state: 'processing', cut };
    await deps.store.write([
      { type: 'put', partition: `stream/show/${stream.uid}`, sort: 'uploaded-file', value: file },
    ]);
    const body = JSON.stringify({
      kind: 'split-file',
      videoId: 'show',
      uid: stream.uid,
      fileId: 1,
    });
    assert.equal(await JOBS.run(deps, body, context(engine)), 'done');
    assert.equal((await deps.queues.backfillJobs.depth()).delayed, 1);
    assert.equal((await findUploadedFile(deps, stream))?.value.cut?.steps, 5);
  });

  test('fails for good with the reason and what to do, and leaves nothing half-made', async (t) => {
    const { engine, deps, stream, take } = await start(t);
    await take(Buffer.from('Dear editor, this is no film.'), 'film.mp4');
    assert.deepEqual(await work(engine), ['split-file: failed']);
    const { file, state } = await createViewer(deps).state('show');
    assert.deepEqual(
      [state, file?.state, file?.failure],
      [
        'created',
        'failed',
        {
          code: 'unsupported_media',
          message: 'The file is text.',
          hint: 'Send the file as MP4, MOV, WebM, MKV, MPEG-TS or AVI; ffmpeg converts others: ffmpeg -i FILE OUT.mp4.',
        },
      ],
    );
    assert.deepEqual(await deps.media.list(sourcePrefix(stream)), []);
    await take(await fileNamed('film.mp4'), 'better.mp4');
  });

  test('that is given up says so', async (t) => {
    const { deps, stream, take } = await start(t);
    await take(await fileNamed('film.mp4'));
    const body = JSON.stringify({
      kind: 'split-file',
      videoId: 'show',
      uid: stream.uid,
      fileId: 1,
    });
    await JOBS.giveUp(deps, body, 'every delivery failed');
    const { failure } = (await createViewer(deps).state('show')).file ?? {};
    assert.deepEqual(
      [failure?.code, failure?.message],
      ['unavailable', 'The file could not be processed: every delivery failed.'],
    );
  });

  test('keeps its stream open, however long its job waits, and lost jobs come back as back-fill', async (t) => {
    const { engine, deps, stream, take } = await start(t);
    await take(await fileNamed('film.mp4'));
    await work(engine, 1);
    const found = (await findUploadedFile(deps, stream)) ?? assert.fail();
    const waiting = { ...found.value, state: 'processing' };
    await deps.store.write([
      {
        type: 'put',
        partition: `stream/show/${stream.uid}`,
        sort: 'uploaded-file',
        value: waiting,
      },
      { type: 'delete', partition: `stream/show/${stream.uid}`, sort: 'end' },
    ]);
    await work(engine, 99, /none/);
    engine.clock.nowMs += 120_000;
    await onDelayedMessage(deps, { type: 'housekeeping', videoId: 'show', uid: stream.uid });
    assert.equal(await engine.records.endRequest(stream), undefined);
    assert.equal((await deps.queues.backfillJobs.depth()).ready, 8);
    assert.equal((await deps.queues.liveJobs.depth()).ready, 0);
  });
});
