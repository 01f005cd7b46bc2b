import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { jobsDeadHandler } from '../../lambdas/queue/jobs.ts';
import type { SourceSegment } from '../../lib/domain/segment.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import type { SegmentJob } from '../../lib/pipeline/jobs/job-kind.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import { PIDS, splitPackets, splitPes, withPes } from '../support/ts-mangler.ts';

const LADDER = [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }];

type UploadOptions = ClipOptions & {
  count?: number;
  mangle?: (bytes: Uint8Array, number: number) => Uint8Array;
};

async function uploadThree(
  t: TestContext,
  { count = 3, mangle = (bytes) => bytes, ...options }: UploadOptions = {},
) {
  const engine = await testEngine(t);
  const stream: Stream = {
    ...newStream('show', START_MS),
    settings: { ...newStream('show', START_MS).settings, ladder: LADDER },
  };
  await engine.records.createStream(stream);
  const { segments } = await makeSegments({ seconds: 6, size: '160x90', hlsTime: 2, ...options });
  for (const [number, { bytes }] of segments.slice(0, count).entries()) {
    const found = (await engine.records.findStream('show')) ?? assert.fail();
    await uploadSegment(engine.deps, found, {
      ...{ number, bytes: mangle(bytes, number) },
      ...{ pushed: false, durationSeconds: 2 },
    });
  }
  const jobOf = (number: number): SegmentJob => ({
    videoId: 'show',
    uid: stream.uid,
    run: 1,
    number,
  });
  return { engine, stream, jobOf };
}

/** Cut short: they are the last two in decode order, too. */
function withoutLastPictures(bytes: Uint8Array): Uint8Array {
  const packets = splitPackets(bytes);
  const pictures = splitPes(packets, PIDS.video);
  return Buffer.concat(withPes(packets, PIDS.video, pictures.slice(0, -2)));
}

const bodyOf = (job: SegmentJob): string => JSON.stringify({ kind: 'transcode', ...job });

const work = ({ deps, workFolder }: TestEngine, job: SegmentJob) =>
  JOBS.run(deps, bodyOf(job), { workFolder, signal: new AbortController().signal });

async function listed({ deps }: TestEngine, stream: Stream): Promise<string[]> {
  await publishStream(deps, { videoId: stream.videoId, uid: stream.uid });
  const { document } = await createViewer(deps).media('show', '90p', 'live');
  return parseMediaWithHls(document.text).segments.map((segment) =>
    segment.gap ? 'gap' : 'media',
  );
}

describe('transcode job', () => {
  test('a job that is done twice changes nothing, and one of a stream that is gone is obsolete', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t);
    assert.equal(await work(engine, jobOf(0)), 'done');
    const before = await engine.deps.media.list(`media/show/${stream.uid}/`);
    assert.equal(await work(engine, jobOf(0)), 'done');
    assert.deepEqual(await engine.deps.media.list(`media/show/${stream.uid}/`), before);
    assert.equal(
      before.length,
      6,
      'a poster, thumbnails, and one segment and one init segment for each of two renditions',
    );
    assert.deepEqual(await listed(engine, stream), ['media']);
    assert.equal(await work(engine, { ...jobOf(0), uid: 'before' }), 'obsolete');
    assert.equal(await work(engine, { ...jobOf(0), number: 9 }), 'obsolete');
  });

  test('the first segment of a run has a poster, a small JPEG, and the next ones none', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t, { size: '1280x720' });
    const posterOf = async (number: number) => {
      await work(engine, jobOf(number));
      const outcome = await engine.records.findOutcome(stream, 1, number);
      return outcome?.type === 'rendered' ? outcome.poster : assert.fail();
    };
    const key = (await posterOf(0)) ?? assert.fail();
    assert.match(key, new RegExp(`^media/show/${stream.uid}/poster-1-0{10}-[0-9a-f]{12}[.]jpg$`));
    const bytes = Buffer.from((await engine.deps.media.get(key)) ?? assert.fail());
    assert.deepEqual(jpegSize(bytes), { widthPx: 640, heightPx: 360 });
    assert.ok(bytes.length < 80_000, `${bytes.length} bytes`);
    assert.equal(await posterOf(1), undefined);
    await publishStream(engine.deps, { videoId: 'show', uid: stream.uid });
    assert.equal((await createViewer(engine.deps).state('show')).poster, `/${key}`);
  });

  test('stills that cannot be made fail no segment', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t, { count: 1 });
    const wrapper = join(engine.workFolder, 'without-jpeg');
    const line = 'case "$*" in *mjpeg*) echo "Unknown encoder" >&2; exit 1;; esac';
    await writeFile(wrapper, `#!/bin/sh\n${line}\nexec ffmpeg "$@"\n`, { mode: 0o755 });
    useFfmpeg(wrapper);
    t.after(() => useFfmpeg('ffmpeg'));
    assert.equal(await work(engine, jobOf(0)), 'done');
    const outcome = await engine.records.findOutcome(stream, 1, 0);
    assert.ok(outcome?.type === 'rendered');
    assert.equal(outcome.poster, undefined);
    assert.equal(outcome.thumbnails, undefined);
    assert.deepEqual(await listed(engine, stream), ['media']);
  });

  test('a segment ends before the pictures that the next keyframe leads, whatever the encoder says', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t, { openGop: true, count: 1 });
    await work(engine, jobOf(0));
    const outcome = await engine.records.findOutcome(stream, 1, 0);
    assert.ok(outcome?.type === 'rendered');
    assert.equal(outcome.durationTicks, 174_000);
  });

  test('a segment of closed GOPs whose last pictures are lost ends where the encoder says, as long as the next is not there', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t, {
      count: 2,
      mangle: (bytes, number) => (number === 1 ? withoutLastPictures(bytes) : bytes),
    });
    for (const number of [0, 1]) await work(engine, jobOf(number));
    const outcome = await engine.records.findOutcome(stream, 1, 1);
    assert.ok(outcome?.type === 'rendered');
    assert.equal(outcome.durationTicks, 180_000);
  });

  test('a segment that can never be decoded becomes a gap, and publishing goes on', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t);
    const broken = await engine.records.findSegment(stream, 1, 1);
    const path = join(engine.workFolder, '..', 'objects', broken?.sourceKey ?? '');
    await writeFile(path, await damaged(engine, broken?.sourceKey ?? ''));
    for (const number of [0, 1, 2]) {
      assert.equal(await work(engine, jobOf(number)), number === 1 ? 'failed' : 'done');
    }
    const outcome = await engine.records.findOutcome(stream, 1, 1);
    assert.match(
      outcome?.type === 'failed' ? outcome.reason : '',
      /^(undecodable|no_keyframe|no_parameter_sets): /,
    );
    assert.deepEqual(await listed(engine, stream), ['media', 'gap', 'media']);
  });

  test('a job that fails for a reason of ours throws, and its dead letter makes the segment a gap', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t);
    const segment = (await engine.records.findSegment(stream, 1, 1)) ?? assert.fail();
    await engine.deps.media.delete([segment.sourceKey]);
    for (const number of [0, 2]) await work(engine, jobOf(number));
    await assert.rejects(work(engine, jobOf(1)), /not there/);
    assert.equal(await engine.records.findOutcome(stream, 1, 1), undefined);
    assert.deepEqual(await listed(engine, stream), ['media'], 'it may still come');
    const record = { messageId: 'm', body: bodyOf(jobOf(1)) };
    const handler = jobsDeadHandler(engine.deps) as unknown as Handler;
    assert.deepEqual(await handler({ Records: [record] }, {}), { batchItemFailures: [] });
    assert.deepEqual(await listed(engine, stream), ['media', 'gap', 'media']);
  });

  test('a job waits for a predecessor that is uploaded a moment later, and no longer than two seconds', async (t) => {
    const { engine, stream, jobOf } = await uploadThree(t);
    const { records } = engine.deps;
    const asked: number[] = [];
    const late = (found: SourceSegment | undefined, number: number, times: number) => {
      asked.push(number);
      return number === 0 && asked.filter((one) => one === 0).length <= times ? undefined : found;
    };
    const withLatePredecessor = (times: number) => {
      const patched = new StreamRecords(engine.deps.store);
      patched.findSegment = async (...which) =>
        late(await records.findSegment(...which), which[2], times);
      return { ...engine, deps: { ...engine.deps, records: patched } };
    };
    const first = await records.getRun(stream, 1);
    assert.equal(first?.firstNumber, 0);
    assert.equal(await work(withLatePredecessor(3), jobOf(1)), 'done');
    assert.ok(asked.filter((one) => one === 0).length >= 4, 'asked until it was there');
    asked.length = 0;
    engine.clock.nowMs += 2_000;
    assert.equal(await work(withLatePredecessor(Number.POSITIVE_INFINITY), jobOf(2)), 'done');
    assert.equal(await work(withLatePredecessor(0), { ...jobOf(1) }), 'done');
  });
});

/** By the frame header, SOF0. */
function jpegSize(bytes: Buffer): Readonly<{ widthPx: number; heightPx: number }> {
  assert.equal(bytes.readUInt16BE(0), 0xffd8, 'it begins as a JPEG');
  assert.equal(bytes.readUInt16BE(bytes.length - 2), 0xffd9, 'and ends as one');
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  return { heightPx: bytes.readUInt16BE(frame + 5), widthPx: bytes.readUInt16BE(frame + 7) };
}

type Handler = (event: { Records: object[] }, context: object) => Promise<unknown>;

/** The same tables and headers, with noise for video and audio. */
async function damaged({ deps }: TestEngine, key: string): Promise<Uint8Array> {
  const bytes = Buffer.from((await deps.media.get(key)) ?? assert.fail());
  for (let packet = 0; packet < bytes.length; packet += 188) {
    const isPes = packet >= 3 * 188;
    if (isPes)
      for (let at = packet + 60; at < packet + 188; at += 1) bytes[at] = (at * 7919) & 0xff;
  }
  return bytes;
}
